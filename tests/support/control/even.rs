//! A strategy that gives all the same, and notices if it is shown another set than it was
//! prepared for.

use evenkeel::strategy::{Candidate, Candidates, PickContext, Picker, Strategy};

#[derive(Debug)]
pub(crate) struct Even;

#[derive(Debug)]
struct EvenPicker(Vec<(String, u32)>);

fn faces(candidates: &[Candidate]) -> impl Iterator<Item = (&str, u32)> {
    candidates.iter().map(|it| (it.id().as_str(), it.weight()))
}

impl Strategy for Even {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        let known = faces(candidates.as_slice()).map(|(id, weight)| (id.to_owned(), weight));
        Box::new(EvenPicker(known.collect()))
    }
}

impl Picker for EvenPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        let known = self.0.iter().map(|(id, weight)| (id.as_str(), *weight));
        if !known.eq(faces(cx.candidates())) {
            return Some(usize::MAX);
        }
        let free: Vec<_> = (0..self.0.len()).filter(|&it| !cx.is_excluded(it)).collect();
        free.get(cx.rng().below(free.len() as u64) as usize).copied()
    }

    fn shares(&self) -> Vec<f64> {
        vec![1.0 / self.0.len() as f64; self.0.len()]
    }
}
