//! How one character may be written in an answer: as it is, or escaped for JSON, HTML, a URL or a form.

/// How many ways to read one place are considered.
const READINGS_MAX: usize = 5;

/// How many escapes one within the other are undone.
const LAYERS_MAX: usize = 8;

/// One way to read what stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The character that is meant.
    pub(super) character: char,
    /// Where the next one begins.
    pub(super) next: usize,
}

/// All ways to read what stands at a place.
#[derive(Debug, Default)]
pub(super) struct Readings {
    list: [Option<Reading>; READINGS_MAX],
    count: usize,
}

impl Readings {
    /// Finds them; none at the end of the text.
    pub(super) fn at(text: &str, at: usize) -> Self {
        let mut readings = Self::default();
        let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) else { return readings };
        readings.add(first, at + first.len_utf8());
        match first {
            '\\' => {
                if let Some(reading) = json(text, at) {
                    readings.add(reading.character, reading.next);
                    match reading.character {
                        '&' => readings.entity(text, reading.next),
                        '%' => readings.percent(text, reading.next),
                        _ => {}
                    }
                }
            }
            '&' => readings.entity(text, at + 1),
            '%' => readings.percent(text, at + 1),
            '+' => readings.add(' ', at + 1),
            _ => {}
        }
        readings
    }

    /// Goes through them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Reading> {
        self.list.iter().flatten().copied()
    }

    fn add(&mut self, character: char, next: usize) {
        if let Some(free) = self.list.get_mut(self.count) {
            *free = Some(Reading { character, next });
            self.count += 1;
        }
    }

    /// Adds what an entity means whose `&` stands before `at`.
    fn entity(&mut self, text: &str, at: usize) {
        let mut at = at;
        for _ in 0..LAYERS_MAX {
            let Some(reading) = entity(text, at) else { return };
            self.add(reading.character, reading.next);
            if reading.character != '&' {
                return;
            }
            at = reading.next;
        }
    }

    /// Adds what percent-encoding means whose `%` stands before `at`.
    fn percent(&mut self, text: &str, at: usize) {
        let mut at = at;
        for _ in 0..LAYERS_MAX {
            let Some(byte) = hex(text, at) else { return };
            let after = at + 2;
            match byte {
                b'%' => {
                    self.add('%', after);
                    at = after;
                    continue;
                }
                b'+' => self.add(' ', after),
                _ => {}
            }
            if byte.is_ascii() {
                self.add(char::from(byte), after);
            } else {
                // One character of UTF-8 takes several bytes; of Latin-1 it is one.
                if let Some(reading) = percent_utf8(text, byte, after) {
                    self.add(reading.character, reading.next);
                }
                self.add(char::from(byte), after);
            }
            return;
        }
    }
}

/// Tells whether the text ends here, in the middle of an escape perhaps.
pub(super) fn is_end(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    rest.is_empty() || (rest.len() < 10 && rest.starts_with(['\\', '&', '%']) && !rest.contains([' ', ';']))
}

fn hex(text: &str, at: usize) -> Option<u8> {
    let digits = text.get(at..at.checked_add(2)?)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

fn percent_utf8(text: &str, first: u8, at: usize) -> Option<Reading> {
    let length = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = vec![first];
    let mut at = at;
    while bytes.len() < length {
        // However often the percent sign was encoded itself.
        let mut digits = text.get(at..)?.strip_prefix('%')?;
        while let Some(deeper) = digits.strip_prefix("25") {
            digits = deeper;
        }
        at = text.len() - digits.len();
        bytes.push(hex(text, at)?);
        at += 2;
    }
    let character = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some(Reading { character, next: at })
}

/// Reads an escape of JSON, however often its backslash was escaped itself.
fn json(text: &str, at: usize) -> Option<Reading> {
    let rest = text.get(at..)?;
    let body = rest.trim_start_matches('\\');
    let slashes = rest.len() - body.len();
    let at = at + slashes;
    let plain = |character, length: usize| Some(Reading { character, next: at + length });
    match body.chars().next() {
        Some('u') => {
            let unit = unit(text, at + 1)?;
            let second = || {
                let rest = text.get(at + 5..)?;
                let body = rest.trim_start_matches('\\');
                let from = text.len() - body.len();
                let low = body.starts_with('u').then(|| unit_at(text, from + 1)).flatten()?;
                let pair = char::decode_utf16([unit, low]).next()?.ok()?;
                Some(Reading { character: pair, next: from + 5 })
            };
            match char::from_u32(u32::from(unit)) {
                Some(character) => plain(character, 5),
                None => second(),
            }
        }
        Some('x') => plain(char::from(hex(text, at + 1)?), 3),
        Some(same @ ('/' | '"' | '\'')) => plain(same, 1),
        Some('n') => plain('\n', 1),
        Some('t') => plain('\t', 1),
        Some('r') => plain('\r', 1),
        // A backslash that was escaped.
        _ if slashes >= 2 => Some(Reading { character: '\\', next: at - slashes + 2 }),
        _ => None,
    }
}

fn unit(text: &str, at: usize) -> Option<u16> {
    unit_at(text, at)
}

fn unit_at(text: &str, at: usize) -> Option<u16> {
    Some(u16::from(hex(text, at)?) << 8 | u16::from(hex(text, at + 2)?))
}

/// Reads an entity of HTML after its `&`.
fn entity(text: &str, at: usize) -> Option<Reading> {
    let rest = text.get(at..)?;
    let (body, digits, radix) = match rest.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => (number, Some(digits), 16),
            None => (number, Some(number), 10),
        },
        None => (rest, None, 10),
    };
    if let Some(digits) = digits {
        let end = digits.find(|digit: char| !digit.is_digit(radix)).unwrap_or(digits.len());
        let character = char::from_u32(u32::from_str_radix(digits.get(..end)?, radix).ok()?)?;
        let after = digits.get(end..)?;
        let next = text.len() - after.strip_prefix(';').unwrap_or(after).len();
        return Some(Reading { character, next });
    }
    let (name, _) = body.split_once(';').filter(|(name, _)| name.len() <= 8)?;
    let next = at + name.len() + 1;
    if let Some(position) = LATIN.iter().position(|known| *known == name) {
        let code = u32::try_from(position).ok()?.checked_add(0xA0)?;
        return Some(Reading { character: char::from_u32(code)?, next });
    }
    let (_, character) = NAMED.iter().find(|(known, _)| *known == name)?;
    Some(Reading { character: *character, next })
}

/// The names of signs of ASCII.
const NAMED: [(&str, char); 38] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("sol", '/'),
    ("plus", '+'),
    ("equals", '='),
    ("colon", ':'),
    ("semi", ';'),
    ("comma", ','),
    ("period", '.'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("num", '#'),
    ("percnt", '%'),
    ("excl", '!'),
    ("quest", '?'),
    ("commat", '@'),
    ("dollar", '$'),
    ("ast", '*'),
    ("midast", '*'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("bsol", '\\'),
    ("verbar", '|'),
    ("vert", '|'),
    ("grave", '`'),
    ("Hat", '^'),
];

/// The names of U+00A0 to U+00FF, in their order.
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape_means_its_character() {
        for (text, character) in [
            (r"\/", '/'),
            (r"\\/", '/'),
            (r"\u002B", '+'),
            (r"\u002b", '+'),
            (r"\\u002b", '+'),
            (r"\u00e9", 'é'),
            (r"\u00E9", 'é'),
            (r"\ud83d\ude00", '😀'),
            (r"\uD83D\uDE00", '😀'),
            (r"\x2f", '/'),
            (r#"\""#, '"'),
            (r"\\", '\\'),
            ("&amp;", '&'),
            ("&sol;", '/'),
            ("&plus;", '+'),
            ("&eacute;", 'é'),
            ("&Auml;", 'Ä'),
            ("&yuml;", 'ÿ'),
            ("&nbsp;", '\u{A0}'),
            ("&#43;", '+'),
            ("&#0043;", '+'),
            ("&#x2B;", '+'),
            ("&#X2b;", '+'),
            ("&#43", '+'),
            ("&amp;#43;", '+'),
            ("&amp;amp;plus;", '+'),
            (r"\u0026#43;", '+'),
            ("%2B", '+'),
            ("%2b", '+'),
            ("%252B", '+'),
            ("%25252b", '+'),
            ("%C3%A9", 'é'),
            ("%c3%a9", 'é'),
            ("%25C3%25A9", 'é'),
            ("%E9", 'é'),
            ("%F0%9F%98%80", '😀'),
            ("+", ' '),
            ("%20", ' '),
            ("%2B", ' '),
            (r"\u0025C3%A9", 'é'),
        ] {
            let whole = Reading { character, next: text.len() };
            assert!(Readings::at(text, 0).iter().any(|found| found == whole), "{text}");
        }
    }
}
