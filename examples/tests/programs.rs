//! Runs the examples as a user would.
//!
//! `cargo test` builds the examples before it runs this.

use flate2::bufread::GzDecoder;
use std::{
    env::{self, consts::EXE_SUFFIX},
    ffi::OsStr,
    fs,
    io::{Read, Write},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

/// The size of a block of `pgz`.
const BLOCK: usize = 128 << 10;

fn example(name: &str) -> Command {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{EXE_SUFFIX}"));
    assert!(path.exists(), "`{}` is not built; run `cargo test -p tinypl-examples`", path.display());
    Command::new(path)
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Runs a program with these bytes as its stdin.
fn feed(mut command: Command, input: Vec<u8>) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn tour_runs_to_its_end() {
    let output = example("tour").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn shape_draws_what_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let svg = example("shape").output().unwrap();
    assert!(svg.status.success() && text(&svg.stdout).starts_with("<svg "), "{}", text(&svg.stderr));
    for (file, begins) in [("shape.mmd", "flowchart "), ("shape.dot", "digraph "), ("shape.svg", "<svg ")] {
        let file = dir.path().join(file);
        assert!(example("shape").arg(&file).status().unwrap().success());
        let picture = fs::read_to_string(file).unwrap();
        for part in [begins, "lower_case", "palindromes", "page"] {
            assert!(picture.contains(part), "{part} is not in {picture}");
        }
    }
    let refused = example("shape").arg(dir.path().join("no/such/folder.svg")).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
}

#[test]
fn wordcount_counts_text_and_names_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for folder in ["deep/er", ".git", "target", "cache"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("a.txt"), "One two; TWO! three_four don't 5 Straße").unwrap();
    fs::write(root.join("deep/er/b"), "two\nstraße\r\none").unwrap();
    fs::write(root.join("empty"), "").unwrap();
    fs::write(root.join("deep/picture.png"), b"word \xff\xfe word").unwrap();
    fs::write(root.join("not-utf-8"), b"word \xff").unwrap();
    fs::write(root.join(".hidden"), "three").unwrap();
    fs::write(root.join(".git/config"), "git git git").unwrap();
    fs::write(root.join("target/notes"), "five").unwrap();
    fs::write(root.join("cache/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55").unwrap();
    fs::write(root.join("cache/made"), "made made made made").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root, root.join("deep/loop")).unwrap();

    let output = example("wordcount").arg(root).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        "        3 two\n        2 one\n        2 straße\n        2 three\n        1 don\n        1 five\n        1 four\n        1 t\n"
    );
    let skipped = ["deep/picture.png", "not-utf-8"].map(|name| format!("{}: not UTF-8", root.join(name).display()));
    assert_eq!(
        text(&output.stderr),
        format!("skipped {}\nskipped {}\n5 files counted, 2 skipped\n", skipped[0], skipped[1])
    );
}

#[cfg(unix)]
#[test]
fn wordcount_names_what_can_not_be_read() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(dir.path().join("open"), "one").unwrap();
    let closed = dir.path().join("closed");
    fs::write(&closed, "two").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = example("wordcount");
    if fs::read(&closed).is_ok() {
        // root may read all; nobody may not
        command.uid(65534);
    }
    let output = match command.arg(dir.path()).output() {
        Ok(output) => output,
        Err(error) => {
            return eprintln!("SKIPPED wordcount_names_what_can_not_be_read: it can't be run by another user: {error}");
        }
    };
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "        1 one\n");
    let skipped = format!("skipped {}: ", closed.display());
    assert!(text(&output.stderr).starts_with(&skipped), "{}", text(&output.stderr));
    assert!(text(&output.stderr).ends_with("1 files counted, 1 skipped\n"), "{}", text(&output.stderr));
}

#[test]
fn wordcount_prints_twenty_and_always_the_same() {
    let count = || example("wordcount").output().unwrap();
    let first = count();
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    assert_eq!(text(&first.stdout).lines().count(), 20);
    assert_eq!(first.stdout, count().stdout);
}

#[test]
fn wordcount_refuses_what_is_no_folder() {
    for dir in ["/no/such/folder", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let output = example("wordcount").arg(dir).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stderr), format!("wordcount: `{dir}` is not a folder\n"));
        assert!(output.stdout.is_empty());
    }
}

/// Bytes that deflate can shorten in part: runs of text between runs of noise.
fn mixed(len: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let noise = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let words = b"the quick brown fox ".iter().copied().cycle();
    let mut bytes: Vec<u8> = std::iter::repeat_with(noise).take(len).collect();
    for (byte, word) in bytes.chunks_mut(3000).step_by(2).flatten().zip(words) {
        *byte = word;
    }
    bytes
}

/// What a gzip file of exactly one member holds.
fn unpacked(gz: &[u8]) -> Vec<u8> {
    let mut decoder = GzDecoder::new(gz);
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).unwrap();
    assert!(decoder.into_inner().is_empty(), "more than one member");
    bytes
}

fn pgz(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = example("pgz");
    command.args(arguments);
    command
}

/// Words in no order: text that deflate finds many matches in.
fn words(len: usize) -> Vec<u8> {
    let source = include_str!("../pgz.rs");
    let words: Vec<&str> = source.split_whitespace().collect();
    let mut seed = 1_u64;
    let mut text = String::new();
    while text.len() < len {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text += words[(seed >> 33) as usize % words.len()];
        text.push(' ');
    }
    text.into_bytes()
}

#[test]
fn pgz_writes_the_same_whatever_the_workers() {
    let text = words(20 * BLOCK);
    let [one, many] = ["-p1", "-p8"].map(|workers| feed(pgz([workers, "-"]), text.clone()).stdout);
    assert!(one == many);
    assert!(unpacked(&one) == text);
}

#[test]
fn pgz_gives_back_the_same_bytes() {
    for len in [0, 1, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 12_345] {
        let bytes = mixed(len);
        for level in ["-0", "-1", "-l3", "-l=6", "-9"] {
            let packed = feed(pgz([level, "-p4", "-"]), bytes.clone());
            assert!(packed.status.success(), "{}", text(&packed.stderr));
            assert!(unpacked(&packed.stdout) == bytes, "{len} bytes at {level}");
        }
    }
}

#[test]
fn gunzip_accepts_what_pgz_writes() {
    let bytes = mixed(3 * BLOCK);
    let packed = feed(pgz(["-"]), bytes.clone()).stdout;
    if Command::new("gunzip").arg("--version").output().is_err() {
        println!("there is no gunzip here");
        return;
    }
    let mut gunzip = Command::new("gunzip");
    gunzip.arg("-c");
    let output = feed(gunzip, packed);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stdout == bytes);
}

#[test]
fn pgz_primes_each_block_with_the_one_before() {
    let noise: Vec<u8> = mixed(6000)[3000..].repeat(100);
    let packed = feed(pgz(["-"]), noise.clone()).stdout;
    let alone = 3000 * noise.len().div_ceil(BLOCK);
    assert!(packed.len() < alone, "{} bytes for {}", packed.len(), noise.len());
}

#[test]
fn pgz_writes_beside_its_input_and_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "first").unwrap();
    assert!(pgz([&file]).status().unwrap().success());
    assert_eq!(names(dir.path()), ["file", "file.gz"]);
    let gz = dir.path().join("file.gz");
    assert_eq!(unpacked(&fs::read(&gz).unwrap()), b"first");

    fs::write(&file, "second").unwrap();
    let refused = pgz([&file]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("file.gz exists"), "{}", text(&refused.stderr));
    assert_eq!(unpacked(&fs::read(&gz).unwrap()), b"first");

    assert!(pgz([OsStr::new("-f"), file.as_os_str()]).status().unwrap().success());
    assert_eq!(unpacked(&fs::read(&gz).unwrap()), b"second");

    let other = dir.path().join("other");
    assert!(pgz([file.as_os_str(), "-o".as_ref(), other.as_os_str()]).status().unwrap().success());
    assert_eq!(unpacked(&fs::read(&other).unwrap()), b"second");
    assert_eq!(names(dir.path()), ["file", "file.gz", "other"]);
}

#[test]
fn pgz_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let failed = pgz([dir.path().as_os_str(), "-o".as_ref(), out.as_os_str()]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("try_map"), "{}", text(&failed.stderr));
    assert!(names(dir.path()).is_empty());
}

#[test]
fn pgz_refuses_wrong_arguments() {
    for arguments in [&[][..], &["-l10", "-"], &["-p0", "-"], &["-x", "-"], &["a", "b"], &["-o"]] {
        let refused = pgz(arguments).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(text(&refused.stderr).starts_with("pgz: "), "{arguments:?}");
    }
    assert_eq!(pgz(["/no/such/file"]).status().unwrap().code(), Some(1));
}

/// A folder with a folder of images for each colour: `each` JPEGs and a PNG.
fn images(colours: &[(&str, [u8; 3])], each: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for &(name, colour) in colours {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        for i in 0..=each {
            let name = if i == each { "last.PNG".to_owned() } else { format!("{i}.jpg") };
            let (width, height) = (20 + i as u32, 30);
            let pixel = |x, _| image::Rgb(colour.map(|c| c - x as u8 + 5 * i as u8));
            image::RgbImage::from_fn(width, height, pixel).save(folder.join(name)).unwrap();
        }
    }
    dir
}

const COLOURS: [(&str, [u8; 3]); 2] = [("red", [200, 30, 30]), ("blue", [30, 30, 200])];

#[test]
fn train_gives_the_same_for_any_number_of_workers_and_names_what_it_skips() {
    let dir = images(&COLOURS, 4);
    fs::write(dir.path().join("red/letter.jpg"), "not an image").unwrap();
    fs::write(dir.path().join("blue/empty.png"), "").unwrap();
    fs::write(dir.path().join("blue/notes.txt"), "not even the name of an image").unwrap();
    let train = |workers: &str| {
        let output =
            example("train").args(["--batchsize", "5", "--workers", workers]).arg(dir.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        output
    };
    let one = train("1");
    let lines: Vec<&str> = text(&one.stdout).lines().collect();
    assert_eq!(lines[0], "12 images of 2 classes");
    assert!(lines[1].starts_with("epoch 1: loss ") && lines[2].starts_with("epoch 2: loss "), "{lines:?}");
    assert_eq!(lines.len(), 3);
    // the second time all colours are told apart
    assert!(lines[2].ends_with(" 100 % right"), "{lines:?}");
    assert_eq!(one.stdout, train("3").stdout);

    let mut said = text(&one.stderr).lines();
    assert!(said.next().unwrap().starts_with("skipped blue/empty.png: "));
    assert!(said.next().unwrap().starts_with("skipped red/letter.jpg: "));
    assert!(said.next().unwrap().starts_with("stage "), "the report");
    assert!(said.next_back().unwrap().starts_with("20 images in "));
}

#[test]
fn train_writes_a_timeline() {
    let dir = images(&COLOURS, 2);
    let file = dir.path().join("trace.json");
    let output = example("train").arg("--trace").arg(&file).arg(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(fs::read_to_string(file).unwrap().contains("load: map"));

    let output = example("train").args(["--trace", "/no/such/folder/trace.json"]).arg(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("train: /no/such/folder/trace.json: "), "{}", text(&output.stderr));
}

#[test]
fn train_stops_at_a_file_that_is_no_image_if_it_is_told_to() {
    let dir = images(&COLOURS, 1);
    fs::write(dir.path().join("red/letter.jpg"), "not an image").unwrap();
    let output = example("train").args(["--on-bad", "stop"]).arg(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.starts_with("train: ") && said.contains("red/letter.jpg: "), "{said}");
    assert_eq!(text(&output.stdout), "5 images of 2 classes\n");
}

#[test]
fn train_depends_on_its_seed() {
    // hard to tell apart
    let dir = images(&[("rose", [110, 100, 100]), ("mauve", [100, 100, 110])], 2);
    let train =
        |seed: &str| example("train").args(["--seed", seed, "--batchsize", "2"]).arg(dir.path()).output().unwrap();
    assert_eq!(train("1").stdout, train("1").stdout);
    assert_ne!(train("1").stdout, train("2").stdout);
}

#[test]
fn train_refuses_what_it_can_not_do() {
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    for (args, why) in [
        (&["--epochs", "0"][..], "at least 1 is needed"),
        (&["--batchsize", "0"], "at least 1 is needed"),
        (&["--on-bad", "ignore"], "it is `skip` or `stop`"),
        (&["--faster"], "--faster"),
        (&[empty, empty], "unexpected argument"),
        (&[empty], "no JPEG or PNG in"),
        (&["/no/such/folder"], "/no/such/folder"),
    ] {
        let output = example("train").args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = text(&output.stderr);
        assert!(said.starts_with("train: ") && said.contains(why), "{args:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn shared_arrays_come_in_their_order() {
    let output = example("shared_arrays").args(["20", "1"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let arrays = text(&output.stdout).lines().filter_map(|line| line.strip_prefix("array ")?.split(':').next());
    assert!(arrays.eq((0..20).map(|i| i.to_string())), "{}", text(&output.stdout));
}

#[test]
fn survive_crashes_leaves_out_what_kills_its_parser() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("shallow"), "()").unwrap();
    fs::write(dir.path().join("deep"), "[({})]").unwrap();
    let output = example("survive_crashes").arg(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let left_out: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("left out: (made up) ")).collect();
    assert_eq!(left_out, ["aborts", "never ends", "overflows the stack"]);
    assert!(said.starts_with("2 of 5 texts were parsed, 3 workers were replaced\n"), "{said}");
    assert!(said.contains("   3  deep\n   1  shallow\n"), "{said}");
    let output = example("survive_crashes").arg("/nowhere/at/all").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
