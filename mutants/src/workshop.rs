//! Copies of the repository that may be spoilt.

use crate::Result;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug)]
pub struct Workshop {
    pub root: PathBuf,
}

impl Workshop {
    /// A copy of all that git knows or would know, with what has changed since the last time.
    pub fn copy(original: &Path, root: PathBuf) -> Result<Self> {
        let mut listed = Command::new("git");
        listed.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(original);
        let workshop = Self { root };
        let mut copied = BTreeSet::new();
        for file in String::from_utf8(output(&mut listed)?)?.split_terminator('\0').filter(|file| !file.starts_with("mutants/")) {
            if let Ok(text) = fs::read(original.join(file)) {
                workshop.write(file, &text)?;
                copied.insert(workshop.root.join(file));
            }
        }
        remove_all_but(&copied, &workshop.root)?;
        Ok(workshop)
    }

    /// Both crates may ask which mutant is on.
    pub fn connect(&self, switch: &Path) -> Result<()> {
        for package in ["resilient-runtime", "resilient-macros"] {
            let manifest = format!("{package}/Cargo.toml");
            let dependency = format!("[dependencies]\nmutant_switch = {{ path = {:?} }}\n", switch.display());
            let text = fs::read_to_string(self.root.join(&manifest))?.replacen("[dependencies]\n", &dependency, 1);
            self.write(&manifest, text.as_bytes())?;
        }
        Ok(())
    }

    /// Only if it is another text, so that nothing is built again that has not changed.
    pub fn write(&self, file: &str, text: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        if fs::read(&path).is_ok_and(|present| present == text) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        Ok(fs::write(path, text)?)
    }
}

/// A test that is no more in the original would still be built.
fn remove_all_but(files: &BTreeSet<PathBuf>, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_all_but(files, &path)?;
        } else if !files.contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(output.stdout)
}
