//! What is written on a node and beside an edge, in lines of a bounded length: the same in every picture.
use super::{Edge, Node};
use unicode_width::UnicodeWidthChar;

/// The longest line, in cells.
const WIDTH: usize = 44;

/// Of an option's value more is not shown, in cells.
const LONGEST_VALUE: usize = 2 * WIDTH;

/// The lines of a node.
pub(super) struct Lines {
    /// As one would write it: `o @ thread::map(decode)`.
    pub(super) title: Vec<String>,
    /// `workers = 4, maxsize = 8`
    pub(super) options: Vec<String>,
    /// `examples/train.rs:41`
    pub(super) place: Vec<String>,
}

impl Lines {
    pub(super) fn of(node: &Node) -> Lines {
        let handle = node.handle().map(|handle| printable(handle) + " @ ").unwrap_or_default();
        let function = node.function().map(|function| format!("({})", printable(function))).unwrap_or_default();
        let options = node.options().iter().map(|(name, value)| format!("{name} = {}", shortened(printable(value))));
        let place = format!("{}:{}", two_components(node.location().file()), node.location().line());
        Lines {
            title: fill(vec![handle + &printable(node.name()) + &function], ","),
            options: fill(options.collect(), ","),
            place: fill(vec![printable(&place)], ","),
        }
    }

    /// All lines, from top to bottom.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.title.iter().chain(&self.options).chain(&self.place).map(String::as_str)
    }
}

/// What an edge carries, where there are no colours to tell an order from a marker: `order o › inner`, `marker m`.
pub(super) fn carried(edge: &Edge) -> Vec<String> {
    let orders = fill(words("order", edge.orders()), " ›");
    let markers = fill(words("marker", edge.markers()), ",");
    orders.into_iter().chain(markers).collect()
}

/// One that has no name is called by the word itself: the word is not said twice.
fn words(word: &str, names: &[String]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| printable(name)).collect();
    if let Some(first) = names.first_mut().filter(|first| *first != word) {
        *first = format!("{word} {first}");
    }
    names
}

/// How many cells of a monospaced font the text takes; not less than any terminal or browser needs.
pub(super) fn cells(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

/// Escapes what has no glyph of its own: controls, line breaks, what turns the direction of writing, and what XML forbids.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(c.escape_unicode())
            }
            '\u{feff}' | '\u{fffe}' | '\u{ffff}' => shown.extend(c.escape_unicode()),
            _ if c.is_control() => shown.extend(c.escape_debug()),
            _ => shown.push(c),
        }
    }
    shown
}

/// The file and its folder: the whole path may be long, and says more of the machine than of the program. The picture is
/// the same on every system.
fn two_components(path: &str) -> String {
    let kept = path.rmatch_indices(['/', '\\']).nth(1).map_or(path, |(at, _)| &path[at + 1..]);
    kept.replace('\\', "/")
}

fn shortened(value: String) -> String {
    if cells(&value) <= LONGEST_VALUE {
        return value;
    }
    let (start, _) = split_at_cells(&value, LONGEST_VALUE - 1);
    format!("{start}…")
}

/// Lines of as many parts as fit, with separators between; a part that fits on no line is broken.
fn fill(parts: Vec<String>, separator: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.into_iter().enumerate() {
        let part = if at < last { part + separator } else { part };
        match lines.last_mut() {
            Some(line) if cells(line) + 1 + cells(&part) <= WIDTH => *line = format!("{line} {part}"),
            _ => lines.extend(broken(&part)),
        }
    }
    lines
}

/// Lines that are not too long: broken where a name or a word ends, or else anywhere.
fn broken(mut rest: &str) -> Vec<String> {
    let mut lines = Vec::new();
    while cells(rest) > WIDTH {
        let (line, _) = split_at_cells(rest, WIDTH);
        let at = line.rfind([' ', ',', '/', '(', '<', ':']).map_or(0, |at| at + 1);
        let (line, next) = rest.split_at(if at > line.len() / 2 { at } else { line.len() });
        lines.push(line.trim_end().to_owned());
        rest = next;
    }
    lines.push(rest.to_owned());
    lines
}

/// The longest start that takes at most so many cells, and the rest.
fn split_at_cells(text: &str, most: usize) -> (&str, &str) {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += c.width().unwrap_or(1);
        taken > most
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_two_components() {
        assert_eq!(two_components("src/main.rs"), "src/main.rs");
        assert_eq!(two_components("main.rs"), "main.rs");
        assert_eq!(two_components("/home/somebody/work/app/src/load.rs"), "src/load.rs");
        assert_eq!(two_components(r"app\src\load.rs"), "src/load.rs");
        assert_eq!(two_components(""), "");
    }

    #[test]
    fn options_fill_their_lines() {
        let parts = (1..=9).map(|i| format!("option_{i} = {i}")).collect();
        let lines = fill(parts, ",");
        assert_eq!(lines[0], "option_1 = 1, option_2 = 2, option_3 = 3,");
        assert_eq!(lines[2], "option_7 = 7, option_8 = 8, option_9 = 9");
        assert!(fill(vec![], ",").is_empty());
    }

    #[test]
    fn no_line_is_too_long_and_nothing_is_lost() {
        for text in ["x".repeat(200), "宽".repeat(60), "a::long::path::".repeat(9), "two words ".repeat(12)] {
            let lines = broken(&text);
            assert!(lines.iter().all(|line| cells(line) <= WIDTH), "{lines:?}");
            let without_spaces = |text: &str| text.replace(' ', "");
            assert_eq!(without_spaces(&lines.concat()), without_spaces(&text));
        }
    }

    #[test]
    fn wide_characters_take_two_cells() {
        assert_eq!(cells("añ宽🦀"), 6);
        // what joins an accent to its letter takes none
        assert_eq!(cells("e\u{301}"), 1);
        assert_eq!(cells(""), 0);
    }

    #[test]
    fn a_long_value_is_shortened() {
        assert_eq!(shortened("x".repeat(88)), "x".repeat(88));
        assert_eq!(shortened("x".repeat(89)), "x".repeat(87) + "…");
    }

    #[test]
    fn what_has_no_glyph_is_escaped() {
        assert_eq!(printable("a\nb\tc\u{0}\u{202e}d\u{ffff}"), r"a\nb\tc\0\u{202e}d\u{ffff}");
        assert_eq!(printable("größer 宽 🙂 \"'\\"), "größer 宽 🙂 \"'\\");
    }
}
