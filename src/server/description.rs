//! The API description derived from the structs -> the description that is served: it also says which fields are always present, and which
//! text fields have a fixed set of values.

use serde_json::{Map, Value, json};

use crate::{
    model::{Confidence, role::Role},
    stats::groups::GroupKind,
};

/// A text field with a fixed set of values.
struct EnumField {
    schema: &'static str,
    field: &'static str,
    values: Vec<&'static str>,
}

fn enum_fields() -> Vec<EnumField> {
    let roles = || Role::ALL.map(Role::name).to_vec();
    let confidences =
        || [Confidence::Sure, Confidence::Likely, Confidence::Guess].map(Confidence::name).to_vec();
    let units = || [GroupKind::Filter, GroupKind::Channel].map(GroupKind::name).to_vec();
    let row = |schema, field, values| EnumField { schema, field, values };
    vec![
        row("Series", "role", roles()),
        row("Series", "source", vec!["tensor", "image"]),
        row("Evidence", "confidence", confidences()),
        row("Operation", "data_format", vec!["channels_first", "channels_last"]),
        row("Operation", "origin", vec!["graph", "keras", "onnx", "writer"]),
        row("Watch", "mode", vec!["native", "poll", "waiting"]),
        row("Stats", "role", roles()),
        row("Stats", "per", units()),
        row("Charts", "role", roles()),
        row("Charts", "per", units()),
        row("Difference", "per", units()),
        row("Subtracted", "match", vec!["index", "cosine"]),
    ]
}

/// Completes the derived document. Answers write `null` for a missing value, so a field that may be null is always present. A field that
/// may be absent is never null, which its struct declares (`nullable = false`).
pub(super) fn completed(mut description: Value) -> Value {
    if let Some(schemas) = description["components"]["schemas"].as_object_mut() {
        schemas.values_mut().for_each(require_nullable);
        for EnumField { schema, field, values } in enum_fields() {
            if let Some(found) = property(schemas, schema, field) {
                name_values(found, &values);
            }
        }
    }
    description
}

/// Adds the fields that may be null to the required ones, in a schema and in the schemas that it is composed of.
fn require_nullable(schema: &mut Value) {
    if let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut) {
        parts.iter_mut().for_each(require_nullable);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let nullable =
        properties.iter().filter(|(_, property)| is_nullable(property)).map(|(name, _)| json!(name));
    let mut required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(nullable);
    schema["required"] = required.into();
}

fn is_nullable(schema: &Value) -> bool {
    let is_null = |part: &Value| part == "null";
    schema["type"].as_array().is_some_and(|types| types.iter().any(is_null))
        || schema["oneOf"].as_array().is_some_and(|parts| parts.iter().any(|part| is_null(&part["type"])))
}

fn property<'a>(schemas: &'a mut Map<String, Value>, schema: &str, field: &str) -> Option<&'a mut Value> {
    schemas.get_mut(schema)?.get_mut("properties")?.get_mut(field)
}

fn name_values(property: &mut Value, names: &[&str]) {
    let mut values: Vec<Value> = names.iter().map(|name| json!(name)).collect();
    if is_nullable(property) {
        values.push(Value::Null);
    }
    property["enum"] = values.into();
}

#[cfg(test)]
mod tests {
    use utoipa::OpenApi;

    use super::*;
    use crate::server::handlers::Api;

    fn derived() -> Value {
        serde_json::to_value(Api::openapi()).unwrap()
    }

    #[test]
    fn each_closed_field_is_a_text_of_the_description() {
        let mut derived = derived();
        let schemas = derived["components"]["schemas"].as_object_mut().unwrap();
        for EnumField { schema, field, .. } in enum_fields() {
            let found = property(schemas, schema, field).unwrap_or_else(|| panic!("no {schema}.{field}"));
            assert!(found["type"] == "string" || found["type"][0] == "string", "{schema}.{field}: {found}");
        }
    }

    #[test]
    fn what_may_be_null_stands_there_and_what_may_be_missing_is_never_null() {
        let completed = completed(derived());
        let entry = &completed["components"]["schemas"]["Entry"];
        let required = entry["required"].as_array().unwrap();
        let is_required = |name: &str| required.iter().any(|one| one == name);
        assert_eq!([is_required("min"), is_required("index"), is_required("nan")], [true, false, true]);
        assert_eq!(entry["properties"]["index"]["type"], "integer");
        assert_eq!(
            completed["components"]["schemas"]["Stats"]["properties"]["per"]["enum"],
            json!(["filter", "channel", null])
        );
    }
}
