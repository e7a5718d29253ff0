//! Our messages are those of the installed tensorboard package: names, numbers, types.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

use crate::waiting::output_of;

/// One field of ours: `Message name number type label`.
struct Field {
    key: String,
    type_name: String,
    is_repeated: bool,
}

fn ours() -> (Vec<Field>, BTreeSet<String>) {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
    let (mut fields, mut values) = (Vec::new(), BTreeSet::new());
    for file in FileDescriptorSet::decode(&bytes[..]).unwrap().file {
        for message in &file.message_type {
            message_lines(message, "", &mut fields, &mut values);
        }
        file.enum_type.iter().for_each(|kind| enum_lines(kind, "", &mut values));
    }
    (fields, values)
}

fn message_lines(
    message: &DescriptorProto,
    outer: &str,
    fields: &mut Vec<Field>,
    values: &mut BTreeSet<String>,
) {
    let name = format!("{outer}{}", message.name());
    fields.extend(message.field.iter().map(|field| field_of(&name, field)));
    let inner = format!("{name}.");
    message.nested_type.iter().for_each(|message| message_lines(message, &inner, fields, values));
    message.enum_type.iter().for_each(|kind| enum_lines(kind, &inner, values));
}

fn enum_lines(kind: &EnumDescriptorProto, outer: &str, values: &mut BTreeSet<String>) {
    let name = format!("{outer}{}", kind.name());
    values.extend(kind.value.iter().map(|value| format!("{name} {} {}", value.name(), value.number())));
}

fn field_of(message: &str, field: &FieldDescriptorProto) -> Field {
    let named = field.type_name().trim_start_matches(".convscope.log.").to_owned();
    let type_name = if named.is_empty() { scalar_name(field.r#type()).to_owned() } else { named };
    let key = format!("{message} {} {}", field.name(), field.number());
    Field { key, type_name, is_repeated: field.label() == Label::Repeated }
}

fn scalar_name(kind: Type) -> &'static str {
    match kind {
        Type::Double => "double",
        Type::Float => "float",
        Type::Int64 => "int64",
        Type::Uint64 => "uint64",
        Type::Int32 => "int32",
        Type::Uint32 => "uint32",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Bytes => "bytes",
        other => panic!("{other:?} is in none of our messages"),
    }
}

fn theirs() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join(".venv/bin/python"));
    let printed = output_of(python.arg(root.join("tests/fixtures/proto_descriptors.py")))
        .expect(".venv/bin/python does not run: make setup installs what the tests need");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    String::from_utf8(printed.stdout).unwrap()
}

#[test]
fn fields_and_values_are_those_of_tensorboard() {
    let text = theirs();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let theirs: BTreeMap<String, &[&str]> =
        lines.iter().filter(|line| line.len() > 3).map(|line| (line[..3].join(" "), &line[3..])).collect();
    let their_values: BTreeSet<String> =
        lines.iter().filter(|line| line.len() == 3).map(|line| line.join(" ")).collect();
    let (fields, values) = ours();
    assert!(fields.len() > 50 && values.len() > 20, "{} {}", fields.len(), values.len());
    for field in fields {
        let [their_type, label, ..] =
            theirs.get(&field.key).copied().unwrap_or_else(|| panic!("{} is not there", field.key))
        else {
            panic!("{} has no type and label", field.key);
        };
        // Text is read as bytes, because logs hold text that is no UTF-8; so are messages that nobody looks into.
        let is_same = field.type_name == *their_type
            || (field.type_name == "bytes"
                && (*their_type == "string" || their_type.starts_with(char::is_uppercase)));
        assert!(is_same, "{} is {} there and {} here", field.key, their_type, field.type_name);
        assert_eq!(field.is_repeated, *label == "repeated", "{}", field.key);
    }
    let unknown: Vec<&String> = values.difference(&their_values).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_stored_descriptors_are_those_of_the_installed_package() {
    let stored = include_str!("../fixtures/proto_descriptors.txt");
    assert!(theirs() == stored, "run tests/fixtures/proto_descriptors.py again and look at what changed");
}
