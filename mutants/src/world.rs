//! The programs of tests, built with the features that a world has.

use crate::Result;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A choice of features, and what is built with it.
#[derive(Debug)]
pub struct World {
    pub name: &'static str,
    features: &'static [&'static str],
    packages: &'static [&'static str],
    targets: &'static [&'static str],
}

/// Together they compile every line of both crates.
pub const WORLDS: [World; 3] = [
    World {
        name: "all features",
        features: &["--all-features"],
        packages: &["resilient-runtime", "resilient-macros", "resilient-fn"],
        targets: &["--lib", "--test=it", "--test=configured", "--test=startup"],
    },
    World {
        name: "without testing",
        features: &["--no-default-features", "--features=tokio,config,watch"],
        packages: &["resilient-runtime"],
        targets: &["--lib"],
    },
    World {
        name: "without features",
        features: &["--no-default-features"],
        packages: &["resilient-runtime", "resilient-macros"],
        targets: &["--lib"],
    },
];

/// A program of tests.
#[derive(Clone, Debug)]
pub struct Program {
    pub name: String,
    /// The place of its world among all.
    pub world: usize,
    pub path: PathBuf,
    pub folder: PathBuf,
}

/// An error of the compiler: where in which file, by bytes, and what it says.
#[derive(Debug)]
pub struct Fault {
    pub places: Vec<(String, usize, usize)>,
    #[expect(dead_code, reason = "it is shown when nobody is to blame")]
    message: String,
}

impl World {
    /// The unit tests of it alone, which are built much sooner.
    pub fn units(&self) -> Self {
        Self { targets: &["--lib"], ..*self }
    }

    /// Those of the package alone that the file is in, if the world has it.
    pub fn units_of(&self, file: &str) -> Option<Self> {
        let place = self.packages.iter().position(|package| file.split('/').next() == Some(package))?;
        Some(Self { packages: &self.packages[place..=place], ..self.units() })
    }

    pub fn whole(&self) -> Self {
        Self { ..*self }
    }

    /// What the compiler has against the crates and their unit tests.
    pub fn check(&self, root: &Path, target: &Path) -> Result<Vec<Fault>> {
        let mut command = self.units().command("test", root, target);
        let (messages, is_built) = messages(command.arg("--no-run"))?;
        let faults: Vec<_> = messages.iter().filter_map(fault).collect();
        if faults.is_empty() && !is_built { Err(said(&messages).into()) } else { Ok(faults) }
    }

    pub fn build(&self, root: &Path, target: &Path) -> Result<Vec<Program>> {
        let (messages, is_built) = messages(self.command("test", root, target).arg("--no-run"))?;
        if !is_built {
            return Err(said(&messages).into());
        }
        Ok(messages.iter().filter_map(|message| program(self, message)).collect())
    }

    fn command(&self, what: &str, root: &Path, target: &Path) -> Command {
        let mut command = Command::new("cargo");
        command.args([what, "--message-format=json", "--target-dir"]).arg(target).current_dir(root);
        command.env("RUSTC_BOOTSTRAP", "mutant_switch").env("RUSTFLAGS", "--cap-lints=allow").env("CARGO_INCREMENTAL", "1");
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_TEST_DEBUG", "0");
        command.args(self.packages.iter().map(|package| format!("--package={package}"))).args(self.features).args(self.targets);
        command
    }
}

/// Builds the programs of all worlds, those of unit tests first, and notes them.
pub fn build_all(root: &Path, target: &Path, noted: &Path, mutants: u64) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for world in &WORLDS {
        programs.extend(world.build(root, target)?);
    }
    programs.sort_by_key(|program| (program.world, program.folder == root));
    let written: Vec<_> = programs.iter().map(Program::written).collect();
    fs::write(noted, serde_json::to_vec(&json!({ "mutants": mutants, "programs": written }))?)?;
    Ok(programs)
}

/// Those that were built the last time, if the same mutants are woven into them.
pub fn as_built(noted: &Path, mutants: u64) -> Result<Vec<Program>> {
    let noted: Value = serde_json::from_slice(&fs::read(noted)?)?;
    if noted["mutants"].as_u64() != Some(mutants) {
        return Err("the code has changed since the programs were built".into());
    }
    Ok(noted["programs"].as_array().into_iter().flatten().filter_map(Program::read).collect())
}

fn messages(command: &mut Command) -> Result<(Vec<Value>, bool)> {
    let output = command.stderr(std::process::Stdio::piped()).output()?;
    let messages: Vec<Value> =
        String::from_utf8(output.stdout)?.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if messages.is_empty() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok((messages, output.status.success()))
}

fn said(messages: &[Value]) -> String {
    messages.iter().filter_map(|message| message["message"]["rendered"].as_str()).collect()
}

fn program(world: &World, message: &Value) -> Option<Program> {
    let path = message["executable"].as_str().filter(|_| message["profile"]["test"] == true)?;
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let target = message["target"]["name"].as_str()?;
    let place = WORLDS.iter().position(|other| other.name == world.name)?;
    Some(Program {
        name: format!("{target}, {}", world.name),
        world: place,
        path: path.into(),
        folder: manifest.parent()?.to_path_buf(),
    })
}

fn fault(message: &Value) -> Option<Fault> {
    let message = &message["message"];
    if message["level"] != "error" {
        return None;
    }
    let spans = message["spans"].as_array()?;
    let mut primary: Vec<_> = spans.iter().filter(|span| span["is_primary"] == true).flat_map(places).collect();
    primary.extend(spans.iter().filter(|span| span["is_primary"] == false).flat_map(places));
    (!primary.is_empty()).then(|| Fault { places: primary, message: message["message"].as_str().unwrap_or_default().to_owned() })
}

/// Where a span is, and where the macros were called that it is of.
fn places(span: &Value) -> Vec<(String, usize, usize)> {
    let mut places = Vec::new();
    let mut span = span;
    while let Some(file) = span["file_name"].as_str() {
        let at = |end: &str| span[end].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or_default();
        places.push((file.to_owned(), at("byte_start"), at("byte_end")));
        span = &span["expansion"]["span"];
    }
    places
}

impl Program {
    fn written(&self) -> Value {
        json!({ "name": self.name, "world": self.world, "path": self.path, "folder": self.folder })
    }

    fn read(written: &Value) -> Option<Self> {
        let text = |key: &str| written[key].as_str().map(str::to_owned);
        let world = usize::try_from(written["world"].as_u64()?).ok()?;
        Some(Self { name: text("name")?, world, path: text("path")?.into(), folder: text("folder")?.into() })
    }

    /// Whether it is of the same package.
    pub fn tests_file(&self, file: &str) -> bool {
        file.split('/').next().is_some_and(|package| self.folder.ends_with(package))
    }

    /// The names of its tests.
    pub fn tests(&self) -> Result<Vec<String>> {
        let listed =
            crate::workshop::output(Command::new(&self.path).args(["--list", "--format=terse"]).current_dir(&self.folder))?;
        Ok(String::from_utf8(listed)?.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    /// What runs all of its tests.
    pub fn run_all(&self) -> Command {
        self.run([])
    }

    /// What runs these tests, its memory limited, as a mutant may ask for any.
    pub fn run<'t>(&self, tests: impl IntoIterator<Item = &'t str>) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 6000000; exec \"$0\" \"$@\""]).arg(&self.path).current_dir(&self.folder);
        command.args(["--exact", "--test-threads=2"]).args(tests.into_iter().map(OsString::from));
        command.env("CARGO_MANIFEST_DIR", &self.folder).env_remove("MUTANT").env_remove("RUST_BACKTRACE");
        command
    }
}
