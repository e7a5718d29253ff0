//! Text that others wrote -> the same text without invisible characters and characters that control a terminal, and back.
//!
//! These are escaped: control characters (Unicode's Cc: C0, DEL and C1, such as ESC, line feed and CSI), the separators of lines
//! and paragraphs, characters that change the direction of the text around them (Unicode Standard Annex 9; they can make a name
//! look like another one), and those that show nothing, such as the zero width space. Letters of every script, combining marks
//! and emoji are not changed.

use std::{borrow::Cow, fmt::Write as _};

/// Whether a character is shown unchanged.
#[must_use]
pub fn is_printable(letter: char) -> bool {
    let acts_or_hides = letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}');
    !acts_or_hides
}

/// The text with escapes such as `\n`, `\r`, `\t`, `\0` and `\u{1b}` for characters that are not printable, as Rust's `{:?}`
/// writes them, so that a name looks the same in a list and in a message. Applying it a second time changes nothing.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\0' => shown.push_str("\\0"),
            _ if is_printable(letter) => shown.push(letter),
            _ => write!(shown, "\\u{{{:x}}}", letter as u32).expect("a String takes any text"),
        }
    }
    Cow::Owned(shown)
}

/// The name that [`printable`] shows as this text, so that a name can be entered as it is shown; `None` if no part of the text
/// is an escape.
#[must_use]
pub fn shown_as(text: &str) -> Option<String> {
    let (mut name, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\\') {
        name.push_str(&rest[..at]);
        rest = &rest[at..];
        let (letter, len) = escape(rest).unwrap_or(('\\', 1));
        name.push(letter);
        rest = &rest[len..];
    }
    name.push_str(rest);
    (name != text).then_some(name)
}

/// The character of the escape with which the text begins, and how many bytes the escape takes.
fn escape(text: &str) -> Option<(char, usize)> {
    let of_hex = |digits: &str| {
        // A sign would be accepted as part of a number.
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?)
    };
    let (letter, len) = match text.as_bytes().get(1)? {
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'0' => ('\0', 2),
        b'u' => {
            // There are at most six digits between the braces.
            let end = text.bytes().take(10).position(|byte| byte == b'}')?;
            (of_hex(text.get(2..end)?.strip_prefix('{')?)?, end + 1)
        }
        _ => return None,
    };
    (!is_printable(letter)).then_some((letter, len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(printable(text), shown);
        assert_eq!(shown_as(shown).as_deref(), (text != shown).then_some(text));
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        check("conv\x1b[31mRED\x1b[0m/kernel", "conv\\u{1b}[31mRED\\u{1b}[0m/kernel");
        check("a\nrun b\r\tc\0\x07\x7f", "a\\nrun b\\r\\tc\\0\\u{7}\\u{7f}");
        check("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}");
    }

    #[test]
    fn what_turns_or_hides_text_is_escaped() {
        check(
            "a\u{202e}b\u{2066}c\u{2069}\u{200f}\u{61c}",
            "a\\u{202e}b\\u{2066}c\\u{2069}\\u{200f}\\u{61c}",
        );
        check("a\u{200b}\u{feff}\u{ad}\u{2028}\u{e0041}b", "a\\u{200b}\\u{feff}\\u{ad}\\u{2028}\\u{e0041}b");
    }

    #[test]
    fn letters_of_every_script_stay() {
        for text in [
            "",
            "Größe/核:0",
            "e\u{301}",
            "مرشح",
            "🧠",
            "C:\\new\\x",
            "a\u{a0}b",
            "\\x7",
            "\\u{}",
            "\\xe4",
            "\\",
        ] {
            assert_eq!(printable(text), text);
        }
        // A backslash that is followed by something else than our escapes belongs to the name.
        assert_eq!(shown_as("C:\\weights\\u{41}\\xff\\x1b\\u{+1}\\u{110000}\\"), None);
    }

    proptest! {
        #[test]
        fn any_text_becomes_printable_and_comes_back(text in r"[^\\]*") {
            let shown = printable(&text);
            prop_assert!(shown.chars().all(is_printable));
            prop_assert_eq!(printable(&shown), shown.clone());
            prop_assert_eq!(shown_as(&shown).unwrap_or(shown.clone().into_owned()), text);
        }
    }
}
