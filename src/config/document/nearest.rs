//! The word somebody meant.

/// The word nearest to `written`, if it is near enough to have been meant: at most a third of
/// the letters differ, whatever their case.
pub(crate) fn nearest<'w>(
    written: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_lowercase().replace(['-', ' '], "_");
    words
        .into_iter()
        .filter(|word| written.len().abs_diff(word.len()) * 3 <= written.len().max(word.len()))
        .map(|word| (strsim::damerau_levenshtein(&written, word), word))
        .filter(|(distance, word)| distance * 3 <= word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Words as a message lists them.
pub(super) fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
