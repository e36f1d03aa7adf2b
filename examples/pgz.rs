//! A parallel gzip: compresses a file on all processors into one `.gz` that `gunzip` accepts.
//!
//! ```text
//! cargo run --release --example pgz -- [OPTIONS] FILE
//!
//!   FILE        what to compress (it is kept); `-` reads stdin and writes stdout
//!   -o OUT      write OUT instead of FILE.gz; `-` is stdout
//!   -c          write stdout
//!   -f          overwrite OUT if it exists; write to a terminal
//!   -l LEVEL    0 (store) to 9 (smallest), else 6; -0 to -9 are short for it
//!   -p N        compress N blocks at a time, else as many as there are processors
//! ```
//!
//! The input is cut into blocks, and each is compressed by itself, but with the text before it as
//! its dictionary: so cutting costs next to nothing. Back in order, they make up one gzip member.
//! It holds no name and no time: the same input and level give the same output, whatever `N` is.
//!
//! A file that exists is not overwritten without `-f`. OUT appears complete or not at all: until
//! then it has another name (`.tmp…`, in the same folder), and it is removed if something fails; only
//! a signal leaves it behind. OUT gets the permissions of FILE; made from stdin, it is private.
//!
//! It exits with 0 when all is written, with 2 when the arguments are wrong, and with 1 otherwise.

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};
use std::{
    error::Error,
    ffi::{OsStr, OsString},
    fs::{self, File, Permissions},
    io::{self, IsTerminal, Read, Write},
    iter, mem,
    num::NonZero,
    path::{Path, PathBuf},
    process::{ExitCode, exit},
    sync::Arc,
    thread::available_parallelism,
};
use tempfile::NamedTempFile;
use tinypl::pipeline;

/// Large enough that what a block costs by itself vanishes, small enough to stay in a cache.
const BLOCK: usize = 128 << 10;

/// How far back deflate looks.
const WINDOW: usize = 32 << 10;

type Failure = Box<dyn Error + Send + Sync>;

/// A piece of the input, and the piece before it.
struct Block {
    before: Arc<Vec<u8>>,
    data: Arc<Vec<u8>>,
}

/// A compressed block, which ends on a whole byte, with the size and checksum of what it holds.
struct Deflated {
    bytes: Vec<u8>,
    size: usize,
    checksum: Hasher,
}

/// Compresses `input` into `output`, as one gzip member.
fn compress(input: impl Read + Send + 'static, output: &mut impl Write, options: &Options) -> Result<(), Failure> {
    let Options { level, workers, .. } = *options;
    let (mut size, mut checksum) = (0, Hasher::new());

    output.write_all(&header(level))?;
    pipeline! {
        blocks(input)
        |> try_map(|block| block)
        |> o @ order::save(8 * workers)
        |> thread::map(move |block| deflate(level, block), workers)
        |> order::load(o)
        |> try_for_each(|block| -> Result<(), Failure> {
            size += block.size;
            checksum.combine(&block.checksum);
            Ok(output.write_all(&block.bytes)?)
        })
    }?;
    output.write_all(&trailer(size, checksum))?;
    Ok(output.flush()?)
}

/// Cuts `input` into blocks.
fn blocks(mut input: impl Read) -> impl Iterator<Item = io::Result<Block>> {
    let mut before = Arc::default();
    iter::from_fn(move || {
        let mut data = Vec::with_capacity(BLOCK);
        if let Err(error) = input.by_ref().take(BLOCK as u64).read_to_end(&mut data) {
            return Some(Err(error));
        }
        let data = Arc::new(data);
        let before = mem::replace(&mut before, data.clone());
        (!data.is_empty()).then_some(Ok(Block { before, data }))
    })
}

/// Compresses a block in a stream of its own. (Resetting one stream for each block is no quicker, and leaves traces of
/// the last block in it: the output would depend on which worker took which.)
fn deflate(level: Compression, Block { before, data }: Block) -> Deflated {
    let mut stream = Compress::new(level, false);
    stream.set_dictionary(&before[before.len().saturating_sub(WINDOW)..]).expect("a new stream takes a dictionary");

    let mut bytes = Vec::with_capacity(BLOCK / 2);
    loop {
        let rest = &data[stream.total_in() as usize..];
        stream.compress_vec(rest, &mut bytes, FlushCompress::Sync).expect("deflate takes any bytes");
        if bytes.len() < bytes.capacity() {
            break; // Room was left: everything is out.
        }
        bytes.reserve(BLOCK / 2);
    }
    let mut checksum = Hasher::new();
    checksum.update(&data);
    Deflated { bytes, size: data.len(), checksum }
}

/// The start of a gzip member (RFC 1952): neither name nor time, of no system in particular.
fn header(level: Compression) -> [u8; 10] {
    let effort = match level.level() {
        1 => 4,
        9 => 2,
        _ => 0,
    };
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, effort, 0xff]
}

/// The end of a gzip member: an empty last block, then the checksum and the size modulo 2³².
fn trailer(size: usize, checksum: Hasher) -> [u8; 10] {
    let [a, b, c, d] = checksum.finalize().to_le_bytes();
    let [e, f, g, h] = (size as u32).to_le_bytes();
    [3, 0, a, b, c, d, e, f, g, h]
}

const USAGE: &str = "usage: pgz [-c] [-f] [-o OUT] [-l LEVEL] [-p N] FILE";

/// What the command line says.
struct Options {
    /// `None` is stdin.
    input: Option<PathBuf>,
    /// `None` is stdout.
    output: Option<PathBuf>,
    force: bool,
    level: Compression,
    workers: usize,
}

fn main() -> ExitCode {
    let options = match parse() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("pgz: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pgz: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;

    let (mut input, mut output) = (None::<OsString>, None::<OsString>);
    let (mut force, mut level, mut workers) = (false, 6, available_parallelism().map_or(1, usize::from));
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('o') => output = Some(parser.value()?),
            Short('c') => output = Some("-".into()),
            Short('f') => force = true,
            Short('l') => level = parser.value()?.parse()?,
            Short(digit @ '0'..='9') => level = u32::from(digit) - u32::from('0'),
            Short('p') => workers = parser.value()?.parse::<NonZero<usize>>()?.get(),
            Short('h') => {
                println!("{USAGE}");
                exit(0);
            }
            Value(file) if input.is_none() => input = Some(file),
            unexpected => return Err(unexpected.unexpected()),
        }
    }
    if level > 9 {
        return Err("LEVEL is 0 to 9".into());
    }
    let input = input.ok_or("no FILE is given")?;
    let output = output.unwrap_or_else(|| if input == "-" { "-".into() } else { gz(&input) });
    Ok(Options { input: file(input), output: file(output), force, level: Compression::new(level), workers })
}

/// The name of the output for the input of this name.
fn gz(input: &OsStr) -> OsString {
    [input, OsStr::new(".gz")].into_iter().collect()
}

/// The file of this name; `None` for `-`, stdin or stdout.
fn file(name: OsString) -> Option<PathBuf> {
    (name != "-").then(|| name.into())
}

fn run(options: &Options) -> Result<(), Failure> {
    let Some(path) = &options.input else {
        return write(io::stdin(), None, options).map_err(|error| named(Path::new("stdin"), error));
    };
    let file = File::open(path).map_err(|error| named(path, error))?;
    let permissions = file.metadata()?.permissions();
    write(file, Some(permissions), options).map_err(|error| named(path, error))
}

/// Compresses `input` to where the options say; a new file gets these permissions.
fn write(
    input: impl Read + Send + 'static,
    permissions: Option<Permissions>,
    options: &Options,
) -> Result<(), Failure> {
    let Some(path) = &options.output else {
        let mut stdout = io::stdout().lock();
        if stdout.is_terminal() && !options.force {
            return Err("stdout is a terminal; `-f` writes to it all the same".into());
        }
        return compress(input, &mut stdout, options);
    };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(format!("{} is not a regular file", path.display()).into()),
        Ok(_) if !options.force => return Err(format!("{} exists; `-f` overwrites it", path.display()).into()),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut output = NamedTempFile::new_in(folder)?;
    compress(input, &mut output, options)?;
    if let Some(permissions) = permissions {
        output.as_file().set_permissions(permissions)?;
    }
    if options.force {
        output.persist(path)?
    } else {
        output.persist_noclobber(path)?
    };
    Ok(())
}

fn named(path: &Path, error: impl Into<Failure>) -> Failure {
    format!("{}: {}", path.display(), error.into()).into()
}
