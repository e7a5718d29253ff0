//! Checkpoints of several networks side by side: their tensors have the same names, and are never taken for one another.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    daemon::{Daemon, convscope},
    waiting::until,
};

/// A safetensors file of tensors of zeros.
fn safetensors(tensors: &[(&str, &[usize])]) -> Vec<u8> {
    let (mut entries, mut end) = (Vec::new(), 0);
    for (name, shape) in tensors {
        let first = end;
        end += 4 * shape.iter().product::<usize>();
        entries
            .push(format!(r#""{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{first},{end}]}}"#));
    }
    let header = format!("{{{}}}", entries.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_bytes());
    file.resize(file.len() + end, 0);
    file
}

fn save(dir: &Path, name: &str, tensors: &[(&str, &[usize])]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, safetensors(tensors)).unwrap();
}

/// Run, tag and number of steps of each series.
fn series_of(listing: &Value) -> Vec<(String, String, u64)> {
    let of_one = |one: &Value| {
        let text = |field: &str| one[field].as_str().unwrap().to_owned();
        (text("run"), text("tag"), one["steps"].as_u64().unwrap())
    };
    let mut series: Vec<_> = listing["series"].as_array().unwrap().iter().map(of_one).collect();
    series.sort();
    series
}

fn ls(dir: &Path) -> Vec<(String, String, u64)> {
    let output = convscope(&["ls", "--json", dir.to_str().unwrap()]);
    series_of(&serde_json::from_slice(&output.stdout).unwrap())
}

fn expected(series: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    series.iter().map(|(run, tag, steps)| ((*run).to_owned(), (*tag).to_owned(), *steps)).collect()
}

const GENERATOR: &[(&str, &[usize])] = &[("0.weight", &[8, 16, 4, 4])];
const DISCRIMINATOR: &[(&str, &[usize])] = &[("0.weight", &[16, 3, 4, 4])];

#[test]
fn a_generator_and_its_discriminator_stay_apart_in_whatever_order_they_come() {
    let both = expected(&[(".", "netD/0.weight", 2), (".", "netG/0.weight", 2)]);
    for first in ["netG", "netD"] {
        let dir = tempfile::tempdir().unwrap();
        let daemon = Daemon::serve(dir.path(), &["--poll", "1"]).loaded();
        let second = if first == "netG" { "netD" } else { "netG" };
        let now = || series_of(&daemon.get("/api/v1/series").json());
        for epoch in [1, 2] {
            for network in [first, second] {
                let tensors = if network == "netG" { GENERATOR } else { DISCRIMINATOR };
                save(dir.path(), &format!("{network}_epoch_{epoch}.safetensors"), tensors);
                if epoch == 1 && network == first {
                    until("the first", || (now() == expected(&[(".", "0.weight", 1)])).then_some(()));
                }
            }
        }
        until("both", || (now() == both).then_some(()));
        assert_eq!(ls(dir.path()), both);
    }
}

#[test]
fn networks_with_other_tensors_stay_apart_and_the_saves_of_one_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let conv: (&str, &[usize]) = ("conv1.weight", &[8, 3, 3, 3]);
    save(dir.path(), "a/resnet18-f1.safetensors", &[conv]);
    save(dir.path(), "a/resnet34-f2.safetensors", &[conv, ("conv2.weight", &[8, 8, 3, 3])]);
    for name in ["5_net_G_A", "5_net_G_B"] {
        save(dir.path(), &format!("cycle/{name}.safetensors"), &[conv]);
    }
    for name in ["epoch_1", "epoch_2", "best", "last"] {
        save(dir.path(), &format!("b/{name}.safetensors"), &[conv]);
    }
    save(dir.path(), "c/model_step_1.safetensors", &[conv]);
    save(dir.path(), "c/model_ema_step_1.safetensors", &[conv]);
    let tags: Vec<(String, String)> = ls(dir.path()).into_iter().map(|(run, tag, _)| (run, tag)).collect();
    let tag = |run: &str, tag: &str| (run.to_owned(), tag.to_owned());
    assert_eq!(
        tags,
        [
            tag("a", "resnet18_f1/conv1.weight"),
            tag("a", "resnet34_f2/conv1.weight"),
            tag("a", "resnet34_f2/conv2.weight"),
            tag("b", "conv1.weight"),
            tag("b", "conv1.weight by time"),
            tag("c", "conv1.weight"),
            tag("c", "ema/conv1.weight"),
            tag("cycle", "G_A/conv1.weight"),
            tag("cycle", "G_B/conv1.weight"),
        ]
    );
}

#[test]
fn what_lies_in_the_directory_of_a_checkpoint_is_a_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    for step in [500, 1000] {
        for network in ["unet", "unet_ema"] {
            let name = format!("out/checkpoint-{step}/{network}/diffusion_pytorch_model.safetensors");
            save(dir.path(), &name, &[("conv_in.weight", &[8, 4, 3, 3])]);
        }
    }
    let both = expected(&[("out", "unet/conv_in.weight", 2), ("out", "unet_ema/conv_in.weight", 2)]);
    assert_eq!(ls(dir.path()), both);
}
