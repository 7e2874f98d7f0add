//! What is known of each mutant, kept between runs.

use crate::Result;
use crate::judge::Fate;
use crate::mutant::Mutant;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    known: Map<String, Value>,
    digests: BTreeMap<String, u64>,
}

impl Results {
    pub fn read(path: PathBuf, root: &Path, mutants: &[Mutant]) -> Result<Self> {
        let known = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let mut digests = BTreeMap::new();
        for mutant in mutants {
            if !digests.contains_key(&mutant.file) {
                digests.insert(mutant.file.clone(), digest(&fs::read_to_string(root.join(&mutant.file))?));
            }
        }
        Ok(Self { path, known, digests })
    }

    /// What became of it, if the code of its file is what it was then. Who survived is always tried again: tests may be new.
    pub fn settled(&self, mutant: &Mutant) -> Option<Fate> {
        self.fate(mutant).filter(|fate| !matches!(fate, Fate::Survived | Fate::Unreached | Fate::Alone))
    }

    pub fn fate(&self, mutant: &Mutant) -> Option<Fate> {
        let known = self.known.get(&mutant.name)?;
        let by = || known["by"].as_str().unwrap_or_default().to_owned();
        if known["code"].as_u64() != self.digests.get(&mutant.file).copied() {
            return None;
        }
        Some(match known["fate"].as_str()? {
            "killed" => Fate::Killed(by()),
            "timed out" => Fate::TimedOut(by()),
            "survived" => Fate::Survived,
            "unreached" => Fate::Unreached,
            "alone" => Fate::Alone,
            _ => Fate::Unviable,
        })
    }

    pub fn note(&mut self, mutant: &Mutant, fate: &Fate) {
        let (fate, by) = match fate {
            Fate::Killed(by) => ("killed", by.as_str()),
            Fate::TimedOut(by) => ("timed out", by.as_str()),
            Fate::Survived => ("survived", ""),
            Fate::Unreached => ("unreached", ""),
            Fate::Unviable => ("unviable", ""),
            Fate::Alone => ("alone", ""),
        };
        let before = self.fate(mutant).and_then(|_| self.known.remove(&mutant.name)).unwrap_or_else(|| json!({}));
        let (code, outside) = (self.digests.get(&mutant.file), before["outside"] == true);
        self.known.insert(mutant.name.clone(), json!({ "fate": fate, "by": by, "code": code, "outside": outside }));
    }

    /// It cannot be woven.
    pub fn note_outside(&mut self, mutant: &Mutant) {
        self.note(mutant, &Fate::Alone);
        self.known[&mutant.name]["outside"] = true.into();
    }

    pub fn is_outside(&self, mutant: &Mutant) -> bool {
        self.fate(mutant).is_some() && self.known[&mutant.name]["outside"] == true
    }

    /// What became of it in a build of its own.
    pub fn note_alone(&mut self, mutant: &Mutant, fate: &Fate) {
        self.note(mutant, fate);
        self.known[&mutant.name]["alone"] = true.into();
    }

    /// Whether it was tried in a build of its own.
    pub fn was_alone(&self, mutant: &Mutant) -> bool {
        self.fate(mutant).is_some() && self.known[&mutant.name]["alone"] == true
    }

    pub fn write(&self) -> Result<()> {
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_string_pretty(&self.known)?)?;
        Ok(fs::rename(new, &self.path)?)
    }
}

/// Of the code without the tests below it.
fn digest(text: &str) -> u64 {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let mut hasher = DefaultHasher::new();
    code.hash(&mut hasher);
    hasher.finish()
}
