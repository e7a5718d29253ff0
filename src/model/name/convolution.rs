//! Words in a name that say what its layer is: a kind of convolution, the heads of an attention, a table of embeddings.

use super::words::{SLASHES_AND_DOT, is_number, stem};

/// Convolutions whose kernels have other axes than those of the ordinary convolution, as far as names show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convolution {
    /// Each input channel has filters of its own.
    Depthwise,
    /// Its output is larger than its input; input and output channels are exchanged.
    Transposed,
    /// The output of its layer is larger than its input: either the layer is a transposed convolution, or there is a resizing
    /// before it or a shuffling of channels after it.
    Enlarging,
    /// It sees the network's input, such as the embedding of patches with which a vision transformer begins. It is an ordinary
    /// convolution.
    First,
}

const CONVOLUTIONS: [(Convolution, &[&str]); 3] = [
    (Convolution::Depthwise, &["depthwise", "dwconv", "dw_conv"]),
    (
        Convolution::Transposed,
        &["transpose", "transp_conv", "transpconv", "conv_transp", "convtransp", "deconv"],
    ),
    (Convolution::Enlarging, &["upsampl", "upscal", "upconv", "up_conv", "convup", "conv_up"]),
];
/// Whole parts of a name with the same meanings.
const PARTS: [(Convolution, &[&str]); 3] = [
    (Convolution::Depthwise, &["dw"]),
    (Convolution::Transposed, &["conv_tr", "convtr", "conv_trans", "convtrans", "trans_conv", "transconv"]),
    (Convolution::Enlarging, &["up", "ups", "upscore", "conv_t", "convt"]),
];

/// The kind of convolution that a tag names, and the word that names it.
#[must_use]
pub fn convolution(tag: &str) -> Option<(Convolution, &'static str)> {
    let lower = tag.to_lowercase();
    let named = |words: &[&'static str]| words.iter().copied().find(|word| lower.contains(word));
    // A separable convolution's second kernel is that of an ordinary convolution.
    if lower.contains("pointwise") {
        return None;
    }
    let by_word = CONVOLUTIONS.iter().find_map(|(kind, words)| Some((*kind, named(words)?)));
    let by_word = match by_word {
        Some((Convolution::Transposed, _)) if is_flax_transposed(tag) => return None,
        Some((Convolution::Transposed, word)) if has_convolution_after(&lower, word) => {
            Some((Convolution::Enlarging, word))
        }
        by_word => by_word,
    };
    by_word.or_else(|| by_part(&lower)).or_else(|| Some((Convolution::First, first(&lower)?)))
}

/// Parts of names of first convolutions: of timm, of Hugging Face's transformers and diffusers, of Keras.
const FIRST: [&str; 6] =
    ["patch_embed", "patch_embedding", "patch_embeddings", "patch_embedder", "patch_projection", "conv_in"];
/// The own name of the layer in Flax's vision transformers. A table has it too, but no window.
const FIRST_OF_FLAX: &str = "embedding";

fn first(lower: &str) -> Option<&'static str> {
    let parts: Vec<&str> = lower.split(SLASHES_AND_DOT).collect();
    let word = |part: &&str| {
        let part = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        FIRST.into_iter().find(|word| *word == part)
    };
    let own = || match parts.as_slice() {
        [.., FIRST_OF_FLAX, "kernel"] => Some(FIRST_OF_FLAX),
        _ => None,
    };
    parts.iter().find_map(word).or_else(own)
}

fn by_part(lower: &str) -> Option<(Convolution, &'static str)> {
    let mut parts =
        lower.split(SLASHES_AND_DOT).flat_map(|part| [Some(part), part.strip_prefix("conv_")]).flatten();
    let found = parts.find_map(|part| {
        let part = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let word = |words: &[&'static str]| words.iter().copied().find(|word| *word == part);
        PARTS.iter().find_map(|(kind, words)| Some((*kind, word(words)?)))
    });
    match found {
        Some((Convolution::Transposed, word)) if has_convolution_after(lower, word) => {
            Some((Convolution::Enlarging, word))
        }
        found => found,
    }
}

/// Words that begin with these two letters but do not mean enlarging.
const NOT_UP: [&str; 5] = ["upper", "update", "upstream", "upernet", "upcast"];

/// Whether the name of a layer, or of its module, has a word that begins with "up": `up_modules.0`, `uplayer1.1.conv2`.
/// Such convolutions may be transposed; those of blocks nested more deeply hardly ever are.
#[must_use]
pub fn is_up(layer: &str) -> bool {
    let lower = layer.to_lowercase();
    let named = lower.rsplit(SLASHES_AND_DOT).filter(|part| !is_number(part)).take(2);
    let is_up = |word: &str| word.starts_with("up") && !NOT_UP.iter().any(|other| word.starts_with(other));
    named.flat_map(|part| part.split(|c: char| !c.is_ascii_alphabetic())).any(is_up)
}

/// Whether the word is part of a block's name and a layer in the block is called a convolution: `deconv_block/conv1`.
fn has_convolution_after(lower: &str, word: &str) -> bool {
    let mut after = lower.split(SLASHES_AND_DOT).skip_while(|part| !part.contains(word)).skip(1);
    after.any(|part| part.contains("conv") && !part.contains(word))
}

/// Flax names layers by their class, and its transposed convolutions have the layout of ordinary ones.
fn is_flax_transposed(tag: &str) -> bool {
    let number = |part: &str| part.strip_prefix("ConvTranspose_")?.parse::<u32>().ok();
    tag.split('/').find_map(number).is_some()
}

const ATTENTION: [&str; 3] = ["attention", "attn", "mha"];
const HEADS: [&str; 10] =
    ["query", "key", "value", "out", "output", "attention_output", "q", "k", "v", "qkv"];

/// Whether a layer projects to or from the heads of an attention; its axes are not those of maps.
#[must_use]
pub fn is_of_attention(layer: &str) -> bool {
    let lower = layer.to_lowercase();
    let parts: Vec<&str> = lower.split(SLASHES_AND_DOT).collect();
    let is_head = parts.last().is_some_and(|last| HEADS.contains(&stem(last)));
    is_head && parts.iter().any(|part| ATTENTION.iter().any(|word| part.contains(word)))
}

const TABLES: [&str; 5] = ["emb", "embed", "embedding", "embeddings", "codebook"];
/// Layers with these words look nothing up, whatever else their names say.
const PROJECTIONS: [&str; 4] = ["linear", "proj", "projection", "mlp"];
const TABLES_OF_POSITIONS: [&str; 2] = ["pos_bias", "rel_pos"];

/// Whether a layer's own name, without numbers, is that of a table; a table's rows are looked up and are not outputs.
#[must_use]
pub fn is_of_table(layer: &str) -> bool {
    let lower = layer.to_lowercase();
    let Some(own) = lower.split(SLASHES_AND_DOT).rfind(|part| !is_number(part)) else { return false };
    let is_table = |word: &str| TABLES.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let mut words = own.split(['_', '-']);
    if words.any(|word| PROJECTIONS.contains(&word)) {
        return false;
    }
    own.rsplit(['_', '-']).find(|word| !is_number(word)).is_some_and(is_table)
        || TABLES_OF_POSITIONS.iter().any(|word| own.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_first_convolution() {
        for (tag, word) in [
            ("patch_embed.proj.weight", "patch_embed"),
            ("visual.patch_embed1.proj.weight", "patch_embed"),
            ("vision_model.embeddings.patch_embedding.weight", "patch_embedding"),
            ("vit.embeddings.patch_embeddings.projection.weight", "patch_embeddings"),
            ("vit/embeddings/patch_embeddings/projection/kernel", "patch_embeddings"),
            ("encoder.conv_in.weight", "conv_in"),
            ("params/embedding/kernel", "embedding"),
        ] {
            assert_eq!(convolution(tag), Some((Convolution::First, word)), "{tag}");
        }
        for tag in
            ["token_embedding.weight", "embedding.weight", "conv_into.weight", "embedding/dense/kernel"]
        {
            assert_eq!(convolution(tag), None, "{tag}");
        }
        assert_eq!(convolution("up.conv_in.weight").map(|(kind, _)| kind), Some(Convolution::Enlarging));
    }

    #[test]
    fn whole_words_name_a_transposed_convolution() {
        for (tag, kind) in [
            ("decoder.3.conv_tr.weight", Some(Convolution::Transposed)),
            ("decoder.3.convtr1.weight", Some(Convolution::Transposed)),
            ("a/trans_conv/kernel", Some(Convolution::Transposed)),
            ("a.convtrans_2.weight", Some(Convolution::Transposed)),
            ("a.conv_tr.conv1.weight", Some(Convolution::Enlarging)),
            ("a.conv_t.weight", Some(Convolution::Enlarging)),
            ("conv_transform.weight", None),
            ("transition.conv.weight", None),
        ] {
            assert_eq!(convolution(tag).map(|(kind, _)| kind), kind, "{tag}");
        }
    }

    #[test]
    fn words_that_begin_with_up_are_those_of_enlarging() {
        assert!(["psp.up_modules.0", "uplayer1.1.conv2", "net/up/0"].into_iter().all(is_up));
        assert!(
            !["upper.0", "update_block.conv", "group.0", "up_blocks.0.resnets.0.conv2"]
                .into_iter()
                .any(is_up)
        );
    }

    #[test]
    fn tables_are_known_by_their_own_name() {
        for layer in
            ["embedding", "pos_emb", "class_embed.0", "a/codebook", "rel_pos_h", "point_embeddings.1"]
        {
            assert!(is_of_table(layer), "{layer}");
        }
        assert!(
            !["embedding.proj", "time_emb_proj", "gru_rel_pos_linear", "member", "remember_1", "fc"]
                .into_iter()
                .any(is_of_table)
        );
    }
}
