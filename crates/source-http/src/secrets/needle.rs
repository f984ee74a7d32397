//! One secret, found in a text however its characters are written there.

use std::ops::Range;

use secrecy::{ExposeSecret, SecretBox};

use super::spelling::{Readings, is_end};

/// How many steps one comparison may take: only a text made for it needs more.
const STEPS_MAX: u32 = 20_000;

/// The fewest characters that count as a part of a secret.
const PART_CHARS_MIN: usize = 6;

/// The number of characters of a secret that count as a part of it, however long it is.
const PART_CHARS_MAX: usize = 16;

/// A secret to look for.
pub(super) struct Needle {
    characters: SecretBox<Vec<char>>,
    /// How many characters in a row give too much of it away; none where only the whole is looked for.
    part: Option<usize>,
}

impl Needle {
    /// A secret of which half gives too much away.
    pub(super) fn with_parts(text: &str) -> Self {
        let length = text.chars().count();
        let part = length.div_ceil(2).clamp(PART_CHARS_MIN, PART_CHARS_MAX);
        Self { part: (part < length).then_some(part), ..Self::whole(text) }
    }

    /// A secret that is looked for as a whole.
    pub(super) fn whole(text: &str) -> Self {
        Self { characters: SecretBox::new(Box::new(text.chars().collect())), part: None }
    }

    /// Tells whether it is this text.
    pub(super) fn is(&self, text: &str) -> bool {
        text.chars().eq(self.characters.expose_secret().iter().copied())
    }

    /// Finds where the whole of it ends that begins here.
    pub(super) fn end_at(&self, text: &str, at: usize) -> Option<usize> {
        let all = self.characters.expose_secret();
        let (count, end) = run(all, text, at, &mut { STEPS_MAX });
        (!all.is_empty() && count == all.len()).then_some(end)
    }

    /// Tells whether the text, which was cut, ends with the beginning of it that is here.
    pub(super) fn is_cut_at(&self, text: &str, at: usize) -> bool {
        let (count, end) = run(self.characters.expose_secret(), text, at, &mut { STEPS_MAX });
        is_end(text, end) && (count > 0 || end < text.len())
    }

    /// Finds a part of it in a text.
    pub(super) fn part_in(&self, text: &str) -> Option<Range<usize>> {
        let part = self.part?;
        let all = self.characters.expose_secret();
        for (at, _) in text.char_indices() {
            let readings = Readings::at(text, at);
            for from in 0..=all.len().saturating_sub(part) {
                let rest = all.get(from..).unwrap_or_default();
                let begins = rest
                    .first()
                    .is_some_and(|first| readings.iter().any(|reading| reading.character == *first));
                if !begins {
                    continue;
                }
                let (count, end) = run(rest, text, at, &mut { STEPS_MAX });
                if count >= part {
                    return Some(at..end);
                }
            }
        }
        None
    }
}

/// How many of the characters stand in the text from here on, and where they end.
fn run(characters: &[char], text: &str, at: usize, steps: &mut u32) -> (usize, usize) {
    let (mut count, mut at) = (0, at);
    while let Some(wanted) = characters.get(count) {
        let readings = Readings::at(text, at);
        let mut ways = readings.iter().filter(|reading| reading.character == *wanted);
        let Some(first) = ways.next() else { break };
        count += 1;
        *steps = steps.saturating_sub(1);
        let rest = characters.get(count..).unwrap_or_default();
        let mut best: Option<(usize, usize)> = None;
        for other in ways {
            if *steps == 0 {
                break;
            }
            best = best.max(Some(run(rest, text, other.next, steps)));
        }
        if let Some(best) = best {
            let (more, end) = best.max(run(rest, text, first.next, steps));
            return (count + more, end);
        }
        at = first.next;
    }
    (count, at)
}
