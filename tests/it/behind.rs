//! What is behind a convolution, in files of real libraries whose networks are known: see `tests/fixtures/make_checkpoints_*.py`.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::daemon::Daemon;

/// What is behind a kernel of a checkpoint.
fn behind(file: &str, tag: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints").join(file);
    let daemon = Daemon::serve(&file, &[]).loaded();
    daemon.get(&format!("/api/v1/behind?tag={tag}")).json()
}

#[test]
fn the_bias_and_the_normalization_behind_a_convolution_are_found() {
    let of_pytorch = behind("pytorch/state_dict/model_step_100.pt", "conv1.weight");
    assert_eq!(of_pytorch["bias"], "conv1.bias");
    let normalization = json!({
        "layer": "bn1", "scale": "bn1.weight", "shift": "bn1.bias", "mean": "bn1.running_mean",
        "variance": "bn1.running_var",
        "from": {
            "confidence": "likely",
            "evidence": "the names are a pair, and it has 8 channels too; it is saved behind the convolution",
        },
    });
    assert_eq!(of_pytorch["normalization"], normalization);
    // Safetensors sorts the names, so that nothing says which of the two comes first.
    let of_safetensors = behind("safetensors/by_directory/checkpoint-5", "conv1.weight");
    assert_eq!(of_safetensors["normalization"]["layer"], "bn1", "{of_safetensors}");
    assert_eq!(of_safetensors["normalization"]["from"]["confidence"], "guess");
    let of_keras = behind("keras/model_checkpoint/net.01.keras", "conv1/kernel");
    assert_eq!(of_keras["bias"], "conv1/bias", "{of_keras}");
    assert_eq!(of_keras["normalization"]["mean"], "bn/moving_mean");
    assert_eq!(
        of_keras["normalization"]["from"],
        json!({"confidence": "sure", "evidence": "the model applies \"bn\" to its output"})
    );
}

#[test]
fn what_is_behind_a_kernel_counts_the_same_steps() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/checkpoints/safetensors/by_directory/checkpoint-5/model.safetensors");
    for name in ["step_10", "epoch_2"] {
        fs::copy(&fixture, dir.path().join(format!("{name}.safetensors"))).unwrap();
    }
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    for end in ["", " by epoch"] {
        let tag = format!("conv1.weight{end}").replace(' ', "%20");
        let found = daemon.get(&format!("/api/v1/behind?tag={tag}")).json();
        assert_eq!(found["bias"], format!("conv1.bias{end}"), "{found}");
        assert_eq!(found["normalization"]["mean"], format!("bn1.running_mean{end}"), "{found}");
    }
}

#[test]
fn a_layer_with_neither_has_neither() {
    let of_pytorch = behind("pytorch/state_dict/model_step_100.pt", "depthwise.weight");
    assert_eq!(of_pytorch, json!({"bias": null, "normalization": null}));
    let of_bias = behind("pytorch/state_dict/model_step_100.pt", "conv1.bias");
    assert_eq!(of_bias, json!({"bias": null, "normalization": null}));
}
