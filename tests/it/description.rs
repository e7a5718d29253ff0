//! The description of the API against what the program answers: the page's types are generated from it.

use std::path::PathBuf;

use serde_json::Value;

use crate::daemon::Daemon;

/// The description of the API.
struct Description(Value);

impl Description {
    fn schema_of(&self, path: &str) -> &Value {
        let content = &self.0["paths"][path]["get"]["responses"]["200"]["content"];
        let json = content.get("application/json").or_else(|| content.get("text/event-stream"));
        json.map_or_else(|| panic!("{path} has no JSON"), |json| &json["schema"])
    }

    fn named(&self, reference: &str) -> &Value {
        let name = reference.rsplit('/').next().unwrap();
        self.0["components"]["schemas"].get(name).unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// What of an answer is not as a schema says, each with its place.
    fn faults(&self, schema: &Value, answer: &Value, place: &str) -> Vec<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.faults(self.named(reference), answer, place);
        }
        if let Some(values) = schema["enum"].as_array() {
            return fault_unless(values.contains(answer), answer, place);
        }
        if let Some(parts) = schema["oneOf"].as_array() {
            let fits = parts.iter().any(|part| self.faults(part, answer, place).is_empty());
            return fault_unless(fits, answer, place);
        }
        if schema.get("properties").is_some() || schema.get("allOf").is_some() {
            return self.faults_of_object(schema, answer, place);
        }
        let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
        if !types.iter().any(|one| is_of(one.as_str().unwrap_or_default(), answer)) {
            return fault_unless(false, answer, place);
        }
        let items = answer.as_array().into_iter().flatten().enumerate();
        items
            .flat_map(|(idx, item)| self.faults(&schema["items"], item, &format!("{place}[{idx}]")))
            .collect()
    }

    fn faults_of_object(&self, schema: &Value, answer: &Value, place: &str) -> Vec<String> {
        let Some(fields) = answer.as_object() else { return fault_unless(false, answer, place) };
        let described = self.fields(schema);
        let unknown = fields.keys().filter(|name| described.iter().all(|(known, ..)| known != *name));
        let mut faults: Vec<String> =
            unknown.map(|name| format!("{place}.{name} is not described")).collect();
        for (name, property, is_required) in described {
            match fields.get(&name) {
                Some(value) => faults.extend(self.faults(property, value, &format!("{place}.{name}"))),
                None if is_required => faults.push(format!("{place}.{name} is missing")),
                None => {}
            }
        }
        faults
    }

    /// The fields of an object and of those that it is made of: name, schema, whether it always stands there.
    fn fields<'a>(&'a self, schema: &'a Value) -> Vec<(String, &'a Value, bool)> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.fields(self.named(reference));
        }
        let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| self.fields(part));
        let required =
            |name: &str| schema["required"].as_array().into_iter().flatten().any(|one| one == name);
        let own = schema["properties"].as_object().into_iter().flatten();
        parts.chain(own.map(|(name, property)| (name.clone(), property, required(name)))).collect()
    }
}

fn fault_unless(fits: bool, answer: &Value, place: &str) -> Vec<String> {
    if fits { Vec::new() } else { vec![format!("{place} is {answer}")] }
}

fn is_of(kind: &str, answer: &Value) -> bool {
    match kind {
        "string" => answer.is_string(),
        "integer" => answer.is_i64() || answer.is_u64(),
        "number" => answer.is_number(),
        "boolean" => answer.is_boolean(),
        "array" => answer.is_array(),
        "object" => answer.is_object(),
        "null" => answer.is_null(),
        _ => false,
    }
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn answers_are_as_described() {
    let check = |logdir: &str, queries: &[&str]| {
        let daemon = Daemon::serve(&fixture(logdir), &[]).loaded();
        let description = Description(daemon.get("/api/v1/openapi.json").json());
        for query in queries {
            let answer = daemon.get(&format!("/api/v1/{query}"));
            assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
            let path = format!("/api/v1/{}", query.split('?').next().unwrap());
            let faults = description.faults(description.schema_of(&path), &answer.json(), query);
            assert!(faults.is_empty(), "{logdir}: {faults:#?}");
        }
        let event = daemon.live().next();
        let faults = description.faults(description.schema_of("/api/v1/live"), &event, "live");
        assert!(faults.is_empty(), "{logdir}: {faults:#?}");
    };
    let lists =
        ["health", "runs", "runs?limit=1", "series", "series?limit=1", "skipped", "options", "recipes"];
    check("recipe_tf1", &lists);
    let of_a_kernel = [
        "steps?tag=conv1/weights",
        "steps?tag=conv1/weights&limit=2",
        "sheet/info?tag=conv1/weights",
        "sheet/info?tag=conv1/weights&view=matrix&scope=tile&labels=index",
        "sheet/info?tag=conv1/weights&minus_step=0",
        "range?tag=conv1/weights",
        "stats?tag=conv1/weights",
        "stats?tag=conv1/weights&steps=all",
        "stats?tag=conv1/Relu",
        "stats?tag=conv1/Relu&steps=all",
        "difference?tag=conv1/weights&minus_step=0",
        "difference?tag=conv1/weights&minus_step=0&match=cosine",
        "colormap?cmap=viridis",
    ];
    check("recipe_tf1", &of_a_kernel);
    check("animations", &["health", "series", "sheet/info?run=gif&tag=parts"]);
    check("keras_tf2", &lists);
}

#[test]
fn what_is_not_as_described_is_found() {
    let description = Description(serde_json::json!({ "components": { "schemas": {
        "Base": { "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" } } },
        "Whole": { "allOf": [
            { "$ref": "#/components/schemas/Base" },
            { "type": "object", "required": ["b"], "properties": {
                "b": { "type": ["array", "null"], "items": { "type": "string" } },
                "c": { "type": "string", "enum": ["x", "y"] },
            } },
        ] },
    } } }));
    let whole = serde_json::json!({ "$ref": "#/components/schemas/Whole" });
    let check = |answer: Value, expected: &[&str]| {
        assert_eq!(description.faults(&whole, &answer, "w"), expected, "{answer}");
    };
    check(serde_json::json!({ "a": 1, "b": null }), &[]);
    check(serde_json::json!({ "a": 1, "b": ["s"], "c": "y" }), &[]);
    check(serde_json::json!({ "a": 1.5, "b": ["s", 2] }), &["w.a is 1.5", "w.b[1] is 2"]);
    check(
        serde_json::json!({ "b": [], "c": "z", "d": 1 }),
        &["w.d is not described", "w.a is missing", "w.c is \"z\""],
    );
    check(Value::Null, &["w is null"]);
}
