//! Names and numbers of a request -> what the catalog has of them, or what is near. It knows nothing of HTTP.

pub(crate) mod behind;
pub(crate) mod error;
pub(crate) mod film_source;
pub(crate) mod find;
pub(crate) mod pair;
pub(crate) mod steps;
pub(crate) mod subject;
