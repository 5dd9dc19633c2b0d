//! The images of images/, tagged by a hash of all their inputs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use crate::{supervisor, tool};

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Image {
    /// What nearly all tests run: Debian, the supervisor and a stand-in for code-server
    Tiny,
    /// What users run: code-server and the agent's command line
    Full,
}

/// Name of the supervisor in a build context.
const SUPERVISOR: &str = "mizzen-supervisor";

/// One file of a build context.
struct Input {
    name: String,
    bytes: Vec<u8>,
    #[cfg_attr(not(unix), expect(dead_code, reason = "files have no such mode"))]
    executable: bool,
}

/// Builds the image unless the engine has one from the same inputs. Returns its tag.
pub(crate) fn ensure(image: Image) -> Result<String> {
    let (repository, inputs) = match image {
        Image::Tiny => ("mizzen-tiny", tiny_inputs()?),
        Image::Full => ("mizzen-session", full_inputs()?),
    };
    let tag = format!("{repository}:{}", hash(&inputs));
    if !tool::succeeds(&mut tool::command("docker", &["image", "inspect", &tag])) {
        tool::run(&mut tool::command("images/make-base", &[]))?;
        build(&tag, image, &inputs)?;
    }
    note(image, &tag)?;
    Ok(tag)
}

/// Tells the tests which image they are to run: `target/images/{tiny,full}.tag`.
fn note(image: Image, tag: &str) -> Result<()> {
    let folder = tool::target_dir().join("images");
    std::fs::create_dir_all(&folder)?;
    let name = match image {
        Image::Tiny => "tiny.tag",
        Image::Full => "full.tag",
    };
    Ok(std::fs::write(folder.join(name), tag)?)
}

fn tiny_inputs() -> Result<Vec<Input>> {
    Ok(vec![
        Input::read("Dockerfile", &tool::root().join("images/tiny/Dockerfile"))?,
        Input::program(SUPERVISOR, &supervisor::build()?)?,
        Input::program(
            "fake-code-server",
            &supervisor::static_binary("mizzen-testkit", "fake-code-server")?,
        )?,
    ])
}

fn full_inputs() -> Result<Vec<Input>> {
    let folder = tool::root().join("images/session");
    let mut inputs = vec![
        Input::read("Dockerfile", &folder.join("Dockerfile"))?,
        Input::read("extra-ca/README", &folder.join("extra-ca/README"))?,
        Input::program(SUPERVISOR, &supervisor::build()?)?,
    ];
    for authority in extra_authorities()? {
        let name = authority
            .file_name()
            .expect("BUG: a listed file")
            .to_string_lossy();
        inputs.push(Input::read(&format!("extra-ca/{name}"), &authority)?);
    }
    Ok(inputs)
}

/// Certificate authorities that this machine's owner added, in a stable order.
fn extra_authorities() -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir("/usr/local/share/ca-certificates") else {
        return Ok(Vec::new());
    };
    let mut found = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    found.retain(|path| path.extension().is_some_and(|extension| extension == "crt"));
    found.sort();
    Ok(found)
}

fn build(tag: &str, image: Image, inputs: &[Input]) -> Result<()> {
    let context = tempfile::tempdir()?;
    for input in inputs {
        input.write_below(context.path())?;
    }
    let mut docker = tool::command("docker", &["build", "--tag", tag]);
    docker.args(["--label", &format!("dev.mizzen.image={}", image.label())]);
    // A session whose image carries this very supervisor is not given another one.
    if let Some(supervisor) = inputs.iter().find(|input| input.name == SUPERVISOR) {
        let hash = short_hex(Sha256::digest(&supervisor.bytes));
        docker.args(["--label", &format!("dev.mizzen.supervisor={hash}")]);
    }
    docker.arg(context.path());
    // Progress belongs on stderr: stdout carries the tag.
    tool::run(docker.stdout(std::io::stderr()))
}

/// A hash over names, lengths and bytes; crates/sessions computes the same for its own builds.
fn hash(inputs: &[Input]) -> String {
    let mut digest = Sha256::new();
    for input in inputs {
        digest.update(format!("{} {}\n", input.name, input.bytes.len()));
        digest.update(&input.bytes);
    }
    short_hex(digest.finalize())
}

/// The first 12 hex digits.
fn short_hex(digest: impl AsRef<[u8]>) -> String {
    digest
        .as_ref()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Image {
    fn label(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Full => "session",
        }
    }
}

impl Input {
    fn read(name: &str, path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self {
            name: name.to_owned(),
            bytes,
            executable: false,
        })
    }

    fn program(name: &str, path: &Path) -> Result<Self> {
        Ok(Self {
            executable: true,
            ..Self::read(name, path)?
        })
    }

    fn write_below(&self, folder: &Path) -> Result<()> {
        let path = folder.join(&self.name);
        std::fs::create_dir_all(path.parent().expect("BUG: a name below the folder"))?;
        std::fs::write(&path, &self.bytes)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = if self.executable { 0o755 } else { 0o644 };
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}
