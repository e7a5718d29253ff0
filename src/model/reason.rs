//! Why something was concluded, and how far it can be relied on.

/// How far a conclusion can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// One of several readings; the others are about equally good.
    Guess,
    /// Names and shapes agree.
    Likely,
    /// Written down by somebody who knew.
    Sure,
}

impl Confidence {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Likely => "likely",
            Self::Sure => "sure",
        }
    }

    /// The confidence with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Guess, Self::Likely, Self::Sure].into_iter().find(|one| one.name() == name)
    }
}

/// The evidence for a conclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// How far it can be relied on.
    pub confidence: Confidence,
    /// The evidence, as a phrase for a person.
    pub evidence: String,
}

impl Reason {
    pub(super) fn sure(evidence: impl Into<String>) -> Self {
        Self { confidence: Confidence::Sure, evidence: evidence.into() }
    }

    pub(super) fn likely(evidence: impl Into<String>) -> Self {
        Self { confidence: Confidence::Likely, evidence: evidence.into() }
    }

    pub(super) fn guess(evidence: impl Into<String>) -> Self {
        Self { confidence: Confidence::Guess, evidence: evidence.into() }
    }
}
