//! An option whose values are a closed set of names.

/// An enum of the values, each with the name that people choose it by.
macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident, $option:literal { $($(#[doc = $meaning:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name that people choose it by.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The names of all of them.
            #[must_use]
            pub fn names() -> Vec<&'static str> {
                Self::ALL.iter().map(|choice| choice.name()).collect()
            }

            /// All of them as values of an option: the documentation of each says what it means.
            #[must_use]
            pub fn values() -> Vec<$crate::render::choices::option_row::OptionValue> {
                vec![$($crate::render::choices::option_row::OptionValue {
                    name: $text,
                    meaning: concat!($($meaning),+).trim_ascii(),
                }),+]
            }

            /// Parses a name.
            ///
            /// # Errors
            /// Anything but the names, which the error lists.
            pub fn parse(text: &str) -> Result<Self, $crate::render::choices::error::ChoiceError> {
                Self::ALL.iter().copied().find(|choice| choice.name() == text).ok_or_else(|| {
                    $crate::render::choices::error::ChoiceError::new($option, format!("\"{text}\" is not one of {}", Self::names().join(", ")))
                })
            }
        }
    };
}

pub(crate) use closed_set;
