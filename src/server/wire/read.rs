//! The text of a query -> the struct of its parameters, and the picture options among them.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use utoipa::openapi::{
    ObjectBuilder, Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::{SchemaType, Type},
};

use crate::{
    lookup::error::AnswerError,
    render::{
        choices::{Choices, OptionRow},
        film::options::FilmChoices,
    },
};

/// Reads a query. Unknown names are refused, so that a misspelled one is noticed.
pub(crate) fn read<Q: DeserializeOwned>(text: &str) -> Result<Q, AnswerError> {
    serde_urlencoded::from_str(text).map_err(|error| AnswerError::BadOption(error.to_string()))
}

/// The parameters of a query, from which picture options, film options and other parameters are taken in turn.
pub(super) struct QueryOptions {
    pairs: Vec<(String, String)>,
}

impl QueryOptions {
    /// Reads a query. A name that is given twice is refused.
    pub(super) fn read(text: &str) -> Result<Self, AnswerError> {
        let pairs: Vec<(String, String)> = read(text)?;
        let mut known = HashSet::new();
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.insert(name.as_str())) {
            return Err(AnswerError::BadOption(format!("{name} is given twice: once is enough")));
        }
        Ok(Self { pairs })
    }

    /// Takes the parameters with these names out.
    fn take(&mut self, names: &[&str]) -> Vec<(String, String)> {
        let (taken, left) =
            std::mem::take(&mut self.pairs).into_iter().partition(|(name, _)| names.contains(&name.as_str()));
        self.pairs = left;
        taken
    }

    /// Takes the picture options out.
    pub(super) fn choices(&mut self) -> Result<Choices, AnswerError> {
        Ok(Choices::parse(borrowed(&self.take(&Choices::names())))?)
    }

    /// Takes the film options out.
    pub(super) fn film(&mut self) -> Result<FilmChoices, AnswerError> {
        Ok(FilmChoices::parse(borrowed(&self.take(&FilmChoices::names())))?)
    }

    /// Reads the remaining parameters. The error for an unknown name lists all known names, including those of `taken`.
    pub(super) fn others<Q: DeserializeOwned>(self, taken: &[&OptionRow]) -> Result<Q, AnswerError> {
        let others = serde_urlencoded::to_string(self.pairs)
            .map_err(|error| AnswerError::BadOption(error.to_string()))?;
        read(&others).map_err(|error| {
            let taken: Vec<String> = taken.iter().map(|option| format!("`{}`", option.name)).collect();
            AnswerError::BadOption(format!("{error}, {}", taken.join(", ")))
        })
    }
}

fn borrowed(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Options as parameters in the API's description.
pub(super) fn parameters<'a>(
    options: impl IntoIterator<Item = &'a OptionRow>,
) -> impl Iterator<Item = Parameter> {
    options.into_iter().map(|option| {
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
