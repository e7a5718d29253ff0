//! An archive of PyTorch -> its tensors, whichever of its functions wrote it.

use crate::reader::{
    contents::OpenError,
    input::{Input, Part},
    zip::{self, Archive},
};

use super::{
    assembly::Assembly,
    exported,
    saved::{self, InArchive},
};

const FOREIGN: &str = "it is an archive without `data.pkl`, so `torch.save` did not write it, or PyTorch before 1.4 did: load it \
                       with PyTorch and save the state dictionary with `torch.save`";

/// Reads an archive.
pub(super) fn read(input: &dyn Input) -> Result<Assembly, OpenError> {
    let archive = zip::open(input)?;
    match saved::folder(&archive) {
        Some(folder) => saved::read(input, &archive, &folder),
        None => read_exported(input, &archive),
    }
}

/// Reads an exported program, which has its weights as members or as an archive within the archive.
fn read_exported(input: &dyn Input, archive: &Archive) -> Result<Assembly, OpenError> {
    let (configs, nested) = (exported::configs(archive), exported::nested(archive));
    let is_one = configs.len() + nested.len() == 1;
    let mut whole = Assembly::default();
    for (config, folder) in &configs {
        let json = archive.read(input, config, exported::MOST_CONFIG_BYTES)?;
        let mut tensors = exported::tensors(&json)
            .ok_or_else(|| OpenError::Damaged(format!("`{config}` in it does not describe weights")))?;
        if !is_one {
            let model = model_name(config);
            tensors.found.iter_mut().for_each(|tensor| tensor.name.insert(0, model.into()));
        }
        let root = folder.strip_suffix(exported::WEIGHTS).unwrap_or_default();
        whole.add(tensors, &mut InArchive::new(input, archive, (*folder).to_owned(), root)?);
    }
    for name in &nested {
        let mut part = read_nested(input, archive, name)?;
        if !is_one {
            let model = model_name(name);
            part.tensors.iter_mut().for_each(|tensor| tensor.name.insert(0, model.into()));
        }
        whole.append(part);
    }
    if configs.is_empty() && nested.is_empty() {
        return Err(OpenError::NotRead(FOREIGN.to_owned()));
    }
    Ok(whole)
}

/// Reads an archive that is a member of this one.
fn read_nested(input: &dyn Input, archive: &Archive, name: &str) -> Result<Assembly, OpenError> {
    let within = |error: OpenError| match error {
        // The archive around it is whole.
        OpenError::NotWhole(message) | OpenError::Damaged(message) => {
            OpenError::Damaged(format!("`{name}` in it: {message}"))
        }
        other => other,
    };
    let member = &archive.members[name];
    let offset = member.offset(input)?;
    let part = Part::new(input, offset, member.len);
    let inner = zip::open(&part).map_err(within)?;
    let folder = saved::folder(&inner).ok_or_else(|| OpenError::NotRead(FOREIGN.to_owned()))?;
    let mut assembly = saved::read(&part, &inner, &folder).map_err(within)?;
    assembly.shift(offset);
    Ok(assembly)
}

/// The name of the model whose weights a member describes.
fn model_name(member: &str) -> &str {
    let file = member.rsplit('/').next().unwrap_or(member);
    file.strip_suffix("_weights_config.json").or_else(|| file.strip_suffix(".pt")).unwrap_or(file)
}
