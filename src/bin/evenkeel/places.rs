//! Places in a text: offsets, lines and columns.

/// A place, said in both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The offset in bytes, at the beginning of a character or at the end of the text.
    pub(crate) at: usize,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1, in characters.
    pub(crate) column: usize,
}

/// The places of a text. Each is found by walking from the mark before it, so neither long lines
/// nor many of them make it slow.
#[derive(Debug)]
pub(crate) struct Places<'t> {
    text: &'t str,
    marks: Vec<Place>,
}

/// Bytes from one mark to the next, and some more to the beginning of a character.
const STRIDE: usize = 1024;

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let mut places = Self { text, marks: vec![Place { at: 0, line: 1, column: 1 }] };
        let mut here = places.marks[0];
        while here.at < text.len() {
            let next = here.at.saturating_add(STRIDE);
            here = places.walk(here, |place| place.at < next);
            places.marks.push(here);
        }
        places
    }

    /// The place of the character that `offset` lies in.
    pub(crate) fn at_offset(&self, offset: usize) -> Place {
        let mark = self.mark_before(|mark| mark.at <= offset);
        let end = self.text.floor_char_boundary(offset);
        self.walk(mark, |place| place.at < end)
    }

    /// The place at this line and column, if the text has one.
    pub(crate) fn at_position(&self, line: usize, column: usize) -> Option<Place> {
        let wanted = (line, column);
        let mark = self.mark_before(|mark| (mark.line, mark.column) <= wanted);
        let found = self.walk(mark, |place| (place.line, place.column) < wanted);
        ((found.line, found.column) == wanted).then_some(found)
    }

    fn mark_before(&self, is_before: impl Fn(&Place) -> bool) -> Place {
        let after = self.marks.partition_point(is_before);
        self.marks[after.saturating_sub(1)]
    }

    /// The first place from `here` on that is not `before` the wanted one, or the end.
    fn walk(&self, mut here: Place, before: impl Fn(Place) -> bool) -> Place {
        let rest = self.text.get(here.at..).unwrap_or_default();
        for char in rest.chars() {
            if !before(here) {
                break;
            }
            let (line, column) = match char {
                '\n' => (here.line + 1, 1),
                _ => (here.line, here.column + 1),
            };
            here = Place { at: here.at + char.len_utf8(), line, column };
        }
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines and columns counted from the beginning for each character.
    fn all(text: &str) -> Vec<Place> {
        let (mut line, mut column) = (1, 1);
        let mut found = Vec::new();
        for (at, char) in text.char_indices() {
            found.push(Place { at, line, column });
            (line, column) = if char == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        found.push(Place { at: text.len(), line, column });
        found
    }

    #[test]
    fn offsets_and_positions_are_the_same_places() {
        let long = "ü".repeat(STRIDE) + "\n" + &"x\ny€".repeat(STRIDE);
        for text in ["", "\n", "a", "a\r\nb\n", "€uro\n", &long] {
            let places = Places::of(text);
            for place in all(text) {
                assert_eq!(places.at_offset(place.at), place, "{place:?}");
                assert_eq!(places.at_position(place.line, place.column), Some(place), "{place:?}");
            }
        }
    }

    #[test]
    fn what_is_not_in_the_text_is_the_nearest_before_it_or_nothing() {
        let places = Places::of("ab\n€");
        assert_eq!(places.at_offset(5), Place { at: 3, line: 2, column: 1 });
        assert_eq!(places.at_offset(100), Place { at: 6, line: 2, column: 2 });
        assert_eq!(places.at_position(1, 4), None);
        assert_eq!(places.at_position(3, 1), None);
        assert_eq!(places.at_position(0, 1), None);
    }
}
