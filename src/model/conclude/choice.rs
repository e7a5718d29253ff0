//! Candidates -> the layout with the strongest evidence, and a phrase that says why it is preferred to the next one.

use super::super::{
    layout::Layout,
    reason::Reason,
    weigh::{Candidate, Ground, LIKELY},
};

const GROUNDS: [Ground; 7] = [
    Ground::Outputs,
    Ground::Word,
    Ground::Sequence,
    Ground::Extent,
    Ground::Run,
    Ground::Name,
    Ground::Count,
];

const NOTHING: &str = "nothing tells the axes apart";

/// From this weight on, a ground is mentioned.
const TELLING: f32 = 1.0;

/// The candidate with the strongest evidence, and why it is preferred to the next one.
pub(super) fn choose(candidates: &[Candidate]) -> Option<(Layout, Reason)> {
    let mut order: Vec<&Candidate> = candidates.iter().collect();
    order.sort_by(|a, b| b.score().total_cmp(&a.score()));
    let (best, next) = (order.first()?, order.get(1));
    let Some(next) = next else {
        let evidence = format!("{} axes", best.layout.rank());
        return Some((best.layout, Reason::likely(evidence)));
    };
    let lead = best.score() - next.score();
    let evidence = evidence(best, next);
    if lead >= LIKELY {
        return Some((best.layout, Reason::likely(evidence)));
    }
    let is_told = evidence.contains(next.layout.name()) || evidence == NOTHING;
    let other = if is_told { String::new() } else { format!("; nothing rules out {}", next.layout.name()) };
    Some((best.layout, Reason::guess(evidence + &other)))
}

/// What speaks for `best` rather than `next`, strongest first, and then what speaks for `next`.
fn evidence(best: &Candidate, next: &Candidate) -> String {
    let lead = |ground: Ground| best.weight_of(ground) - next.weight_of(ground);
    let text_in = |candidate: &Candidate, ground: Ground| {
        let votes = candidate.votes.iter().filter(|vote| vote.ground == ground && !vote.text.is_empty());
        votes.max_by(|a, b| a.weight.total_cmp(&b.weight)).map(|vote| vote.text.to_string())
    };
    let mut leading: Vec<Ground> = GROUNDS.into_iter().filter(|ground| lead(*ground) >= TELLING).collect();
    leading.sort_by(|a, b| lead(*b).total_cmp(&lead(*a)));
    let mut told: Vec<String> =
        leading.into_iter().filter_map(|ground| text_in(best, ground)).take(2).collect();
    // A rare layout was chosen because the common one does not fit, which its window alone would not show.
    if told.is_empty() {
        told.extend(text_in(best, Ground::Extent));
    }
    let against = GROUNDS.into_iter().filter(|ground| -lead(*ground) >= TELLING);
    let against: Vec<String> = against
        .filter_map(|ground| text_in(next, ground))
        .filter(|text| !told.contains(text))
        .take(1)
        .map(|text| format!("but {text}, as in {}", next.layout.name()))
        .collect();
    if told.is_empty() && against.is_empty() {
        return NOTHING.to_owned();
    }
    told.into_iter().chain(against).collect::<Vec<_>>().join("; ")
}
