//! The layers before and after a kernel -> the evidence for a transposed convolution, as votes.

use super::{
    super::{
        layout::Layout,
        name::is_up,
        weigh::{
            Candidate, Ground, NAMES_BESIDE_WORD, NORMALISED, OPEN, SEQUENCE, SEQUENCE_OF_POINT,
            WORD_OF_ENLARGING,
        },
    },
    facts_draft::FactsDraft,
    layer_sequence::{LayerSequence, MOST_OF_NAMES},
};

const FITS_TRANSPOSED: &str =
    "the channels of the layers before and after go on as those of transposed convolutions";

impl FactsDraft<'_> {
    /// Adds the votes of the layers before and after.
    pub(super) fn vote_by_sequence(&mut self, sequence: &LayerSequence) {
        let vote = |candidate: &Candidate| match candidate.layout {
            layout if layout.is_transposed() => {
                self.sequence_vote(sequence, layout, candidate.weight_of(Ground::Word))
            }
            _ => (0.0, ""),
        };
        let votes: Vec<(f32, &str)> = self.candidates.iter().map(vote).collect();
        for (candidate, (weight, text)) in self.candidates.iter_mut().zip(votes) {
            if candidate.layout.is_transposed() {
                candidate.vote(Ground::Sequence, weight, text);
            }
        }
    }

    fn sequence_vote(&self, sequence: &LayerSequence, layout: Layout, word: f32) -> (f32, &'static str) {
        let (axes, extent) = (self.axes(), layout.extent(self.axes()));
        let framework = layout.framework();
        let is_of_custom = framework == self.custom.framework;
        let is_point = extent.iter().all(|length| *length == 1);
        let is_named_so = word > 0.0;
        let most = if is_point { SEQUENCE_OF_POINT } else { SEQUENCE };
        // A window is not longer than the number of channels, however well the channels fit the neighbouring layers.
        let is_too_long = extent.iter().max() > axes.last();
        match sequence.lead_of_transposed(framework) {
            Some(lead) if is_of_custom && sequence.is_normalised_as_transposed(framework) => {
                (if is_point { SEQUENCE } else { lead.clamp(NORMALISED, SEQUENCE) }, FITS_TRANSPOSED)
            }
            Some(lead) if lead > 0.0 && is_too_long => (0.0, ""),
            Some(lead) if is_point && is_named_so && lead >= -MOST_OF_NAMES => (0.0, ""),
            // A word that may name a transposed convolution and an order by names are only two hints.
            Some(lead)
                if lead > 0.0 && lead <= MOST_OF_NAMES && is_of_custom && word == WORD_OF_ENLARGING =>
            {
                (lead.min(NAMES_BESIDE_WORD), FITS_TRANSPOSED)
            }
            Some(lead) if lead > 0.0 && is_of_custom => (lead.min(most), FITS_TRANSPOSED),
            // Windows of 2x2 are as common for enlarging as for reducing.
            Some(lead) if lead < 0.0 && extent == [2, 2] && !is_named_so => (OPEN, ""),
            Some(lead) if lead < 0.0 && is_of_custom && sequence.is_outvoted(framework, lead) => {
                (if is_named_so { 0.0 } else { OPEN }, "")
            }
            Some(lead) if lead < 0.0 => (lead.max(-SEQUENCE), ""),
            Some(_) if !is_point && !is_named_so => (OPEN, ""),
            None if !is_point
                && !is_named_so
                && is_of_custom
                && self.is_like_its_relatives(sequence, layout) =>
            {
                (OPEN, "")
            }
            _ => (0.0, ""),
        }
    }

    /// Whether a kernel about which the layers before and after say nothing is among layers that may be transposed, or is named so.
    fn is_like_its_relatives(&self, sequence: &LayerSequence, layout: Layout) -> bool {
        let framework = layout.framework();
        let length = |letter| layout.axis(letter).map(|axis| self.axes()[axis]);
        if length('I') != length('O') {
            // No other layer of its part of the network says anything.
            return is_up(&self.name.layer);
        }
        sequence.has_open_relative(framework)
            || (is_up(&self.name.layer) && !sequence.has_ordinary_relative(framework))
    }
}
