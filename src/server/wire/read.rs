//! The text of a query -> the struct that has its options, and the choices of a picture where it has them.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use utoipa::openapi::{
    ObjectBuilder, Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::{SchemaType, Type},
};

use crate::{lookup::error::AnswerError, render::choices::Choices};

/// Reads a query. Names that are no options are refused, so that nobody believes a misspelt one.
pub(crate) fn read<Q: DeserializeOwned>(text: &str) -> Result<Q, AnswerError> {
    serde_urlencoded::from_str(text).map_err(|error| AnswerError::BadOption(error.to_string()))
}

/// Reads a query that has picture options too. Names that come twice are refused as well.
pub(super) fn with_choices<Q: DeserializeOwned>(text: &str) -> Result<(Choices, Q), AnswerError> {
    let pairs: Vec<(String, String)> = read(text)?;
    let names = Choices::names();
    let mut known = HashSet::new();
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.insert(name.as_str())) {
        return Err(AnswerError::BadOption(format!("{name} is given twice: once is enough")));
    }
    let (pictures, others): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
    let choices = Choices::parse(pictures.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let others =
        serde_urlencoded::to_string(others).map_err(|error| AnswerError::BadOption(error.to_string()))?;
    let query = read(&others).map_err(|error| {
        let pictures: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        AnswerError::BadOption(format!("{error}, {}", pictures.join(", ")))
    })?;
    Ok((choices, query))
}

/// The picture options as the API's description has them.
pub(super) fn picture_parameters() -> impl Iterator<Item = Parameter> {
    Choices::OPTIONS.iter().map(|option| {
        let text = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
        ParameterBuilder::new()
            .name(option.name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(option.text()))
            .schema(Some(text))
            .build()
    })
}
