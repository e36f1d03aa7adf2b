//! Trains a small classifier on a folder of images: decoded, cut, resized and stacked by worker threads.
//!
//! ```text
//! cargo run --release --example train -- [OPTIONS] [DIR]
//!
//!   DIR               a folder of JPEGs and PNGs, in it a folder for each class; left out: a small set is made up
//!   --on-bad POLICY   a file that can't be decoded is left out and named at the end (`skip`), or ends the run (`stop`);
//!                     else `skip`. (What a JPEG lacks that is torn off in the middle is filled in, as decoders do.)
//!   --epochs N        how many times each image comes, else 2
//!   --batchsize N     images a batch, else 32
//!   --workers N       threads that load, else as many as there are processors
//!   --seed N          of all that is random, else 42
//!   --trace FILE      writes a timeline that ui.perfetto.dev and chrome://tracing open
//! ```
//!
//! Each epoch shuffles the images anew. From each a square is cut at random and resized to 224 × 224, and every other one is
//! mirrored; where, depends on the seed, the epoch and the image alone. A batch is an array of `f32` with the axes image,
//! channel, row, column (NCHW), normalised as networks that were trained on ImageNet expect it. The model is softmax
//! regression on a coarse grid of the image, so that the example stays one about data: the same seed gives the same
//! losses, whatever the number of workers. At the end it reports where the time went.
//!
//! It exits with 0 when all epochs are done, with 2 when the arguments are wrong or the folder has no images, and with 1
//! otherwise.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{ImageReader, Rgb, RgbImage};
use ndarray::{Array, Array1, Array2, Array4, ArrayView1, ArrayView3, Axis, s};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::OsStr,
    fmt::{self, Display},
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, available_parallelism},
    time::Instant,
};
use tempfile::TempDir;
use tinypl::dataloader::rand::RngExt;
use tinypl::dataloader::{self, Dataset, Position, Rng};
use tinypl::{Error, pipeline};
use walkdir::WalkDir;

/// The side of an image in a batch, in pixels.
const SIDE: usize = 224;
/// The model sees the means of so many by so many squares.
const GRID: usize = 8;
/// What the channels of ImageNet's images have on average, and how far they spread.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The images below a folder, by their index.
struct Folder {
    root: PathBuf,
    files: Vec<PathBuf>,
    /// The folders that the files lie in.
    classes: Vec<PathBuf>,
    options: Options,
    /// Why files were left out.
    bad: Mutex<BTreeMap<usize, String>>,
}

/// An image as the model gets it, but as bytes: rows of pixels of red, green and blue.
struct Sample {
    pixels: Vec<u8>,
    class: usize,
}

struct Batch {
    /// Image, channel, row, column.
    images: Array4<f32>,
    classes: Vec<usize>,
}

impl Folder {
    /// The files whose names are those of images, in the order of their paths.
    fn new(root: PathBuf, options: Options) -> Result<Self, Failure> {
        let is_image = |path: &Path| {
            let extension = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
            extension.is_some_and(|extension| ["jpg", "jpeg", "png"].contains(&&*extension))
        };
        let mut files = Vec::new();
        for entry in WalkDir::new(&root).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() && is_image(entry.path()) {
                files.push(entry.into_path());
            }
        }
        let mut classes: Vec<PathBuf> = files.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect();
        classes.sort();
        classes.dedup();
        Ok(Self { root, files, classes, options, bad: Mutex::default() })
    }

    /// The image `index` as it is in `epoch`; `None` if it can't be decoded, and that is no reason to stop.
    fn load(&self, epoch: u64, index: usize) -> Result<Option<Sample>, Failure> {
        let file = &self.files[index];
        let image = match decode(file) {
            Ok(image) => image,
            Err(why) if self.options.on_bad == OnBad::Skip => {
                self.bad.lock().unwrap_or_else(PoisonError::into_inner).insert(index, why.to_string());
                return Ok(None);
            }
            Err(why) => return Err(format!("{}: {why}", self.name(index)).into()),
        };
        let pixels = augment(&image, &mut dataloader::rng(self.options.seed, epoch, index));
        let class = file.parent().and_then(|folder| self.classes.iter().position(|class| class == folder));
        Ok(Some(Sample { pixels, class: class.unwrap_or(0) }))
    }

    /// Says which files were left out.
    fn name_bad(&self) {
        for (&index, why) in &*self.bad.lock().unwrap_or_else(PoisonError::into_inner) {
            eprintln!("skipped {}: {why}", self.name(index));
        }
    }

    /// A file's path below the folder.
    fn name(&self, index: usize) -> String {
        let file = &self.files[index];
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }
}

impl Dataset for Folder {
    type Sample = Result<Option<Sample>, Failure>;

    fn len(&self) -> usize {
        self.files.len()
    }

    /// As in the first epoch.
    fn get(&self, index: usize) -> Self::Sample {
        self.load(0, index)
    }

    fn get_at(&self, Position { epoch, index }: Position) -> Self::Sample {
        self.load(epoch, index)
    }
}

fn decode(file: &Path) -> Result<RgbImage, Failure> {
    let image = ImageReader::open(file)?.with_guessed_format()?.decode();
    // some of its messages end with a line break
    Ok(image.map_err(|error| error.to_string().trim_end().to_owned())?.into_rgb8())
}

/// A square of 70 to 100 % of the image's shorter side, anywhere in it, resized; every other one is mirrored.
fn augment(image: &RgbImage, rng: &mut Rng) -> Vec<u8> {
    let [width, height] = [image.width(), image.height()].map(f64::from);
    let side = width.min(height) * rng.random_range(0.7..=1.0);
    let (left, top) = (rng.random_range(0.0..=width - side), rng.random_range(0.0..=height - side));
    let mut pixels = resize(image, left, top, side);
    if rng.random() {
        mirror(&mut pixels);
    }
    pixels
}

/// The square with this corner and side, as an image of the size that the model takes.
fn resize(image: &RgbImage, left: f64, top: f64, side: f64) -> Vec<u8> {
    thread_local! {
        // it keeps its buffers from one image to the next
        static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
    }
    let source =
        ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x3).expect("three bytes a pixel");
    let mut resized = Image::new(SIDE as u32, SIDE as u32, PixelType::U8x3);
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(left, top, side, side);
    RESIZER
        .with_borrow_mut(|resizer| resizer.resize(&source, &mut resized, &options))
        .expect("the square lies in the image");
    resized.into_vec()
}

/// Left to right.
fn mirror(pixels: &mut [u8]) {
    for row in pixels.chunks_exact_mut(3 * SIDE) {
        let (pixels, _) = row.as_chunks_mut::<3>();
        pixels.reverse();
    }
}

/// Samples to a batch: normalised, and each channel by itself. Images that were left out leave it shorter.
fn stack(samples: Vec<Option<Sample>>) -> Batch {
    let samples: Vec<Sample> = samples.into_iter().flatten().collect();
    let mut images = Vec::with_capacity(samples.len() * 3 * SIDE * SIDE);
    for sample in &samples {
        let (pixels, _) = sample.pixels.as_chunks::<3>();
        for channel in 0..3 {
            // (x / 255 - mean) / deviation, with one multiplication and one addition a byte
            let (scale, shift) = (1.0 / (255.0 * DEVIATION[channel]), -MEAN[channel] / DEVIATION[channel]);
            images.extend(pixels.iter().map(|pixel| f32::from(pixel[channel]) * scale + shift));
        }
    }
    Batch {
        images: Array::from_shape_vec((samples.len(), 3, SIDE, SIDE), images).expect("as many as were put in"),
        classes: samples.iter().map(|sample| sample.class).collect(),
    }
}

/// Softmax regression: a row of weights for each class, the last of a row its bias.
struct Model {
    weights: Array2<f32>,
}

/// How well a model does.
#[derive(Default)]
struct Score {
    images: usize,
    right: usize,
    loss: f32,
}

impl Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.images.max(1) as f32;
        write!(f, "loss {:.3}, {:.0} % right", self.loss / n, 100.0 * self.right as f32 / n)
    }
}

impl Model {
    fn new(classes: usize) -> Self {
        Self { weights: Array2::zeros((classes, 3 * GRID * GRID + 1)) }
    }

    /// One step down the gradient of the mean cross entropy.
    fn learn(&mut self, batch: &Batch, score: &mut Score) {
        const RATE: f32 = 0.01;
        if batch.classes.is_empty() {
            return;
        }
        let features = features(&batch.images);
        let mut chances = features.dot(&self.weights.t());
        for (mut row, &class) in chances.rows_mut().into_iter().zip(&batch.classes) {
            let most = row.fold(f32::MIN, |a, &b| a.max(b));
            row.mapv_inplace(|x| (x - most).exp());
            row /= row.sum();
            score.images += 1;
            score.right += usize::from(likeliest(row.view()) == Some(class));
            score.loss -= row[class].max(f32::MIN_POSITIVE).ln();
            row[class] -= 1.0;
        }
        self.weights.scaled_add(-RATE / batch.classes.len() as f32, &chances.t().dot(&features));
    }
}

fn likeliest(chances: ArrayView1<f32>) -> Option<usize> {
    chances.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(class, _)| class)
}

/// The mean of each square of the grid, of each channel; and 1, for the bias.
fn features(images: &Array4<f32>) -> Array2<f32> {
    let mut features = Array2::ones((images.len_of(Axis(0)), 3 * GRID * GRID + 1));
    for (image, mut row) in images.outer_iter().zip(features.rows_mut()) {
        row.slice_mut(s![..-1]).assign(&means(image));
    }
    features
}

fn means(image: ArrayView3<f32>) -> Array1<f32> {
    image.exact_chunks((1, SIDE / GRID, SIDE / GRID)).into_iter().map(|square| square.mean().unwrap_or(0.0)).collect()
}

/// Loads all epochs, and learns from each batch as it comes.
fn train(folder: Folder) -> Result<(), Failure> {
    let folder = Arc::new(folder);
    let &Options { epochs, batchsize, workers, seed, ref trace, .. } = &folder.options;
    let len = folder.len();
    let batchsize = batchsize.min(len);
    let (mut model, began, mut trained) = (Model::new(folder.classes.len()), Instant::now(), 0);
    println!("{len} images of {} classes", folder.classes.len());

    pipeline! {
        let mut batches =
            end @ dataloader::load(folder.clone(), batchsize, sampler = sampler::shuffle(seed).epochs(epochs),
                                   map = thread(workers), fallible = true, collate = stack, epoch_end = keep_last)
            |> bar @ progress("batches");
    }
    let monitor = batches.monitor();
    if let Some(file) = trace {
        monitor.trace(file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    for epoch in 1..=epochs {
        let mut score = Score::default();
        pipeline! {
            &mut batches
            |> marker::until(end)
            |> try_for_each(|batch| -> Result<(), Error> { model.learn(&batch, &mut score); Ok(()) })
        }?;
        bar.suspend(|| println!("epoch {epoch}: {score}"));
        trained += score.images;
    }
    drop(batches);
    folder.name_bad();
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("{}", monitor.report());
    eprintln!("{trained} images in {seconds:.1} s, {:.0} a second", trained as f64 / seconds);
    Ok(())
}

/// What the command line says.
#[derive(Clone)]
struct Options {
    on_bad: OnBad,
    epochs: u64,
    batchsize: usize,
    workers: usize,
    seed: u64,
    trace: Option<PathBuf>,
}

/// What becomes of a file that can't be decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnBad {
    Skip,
    Stop,
}

impl FromStr for OnBad {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "skip" => Ok(Self::Skip),
            "stop" => Ok(Self::Stop),
            _ => Err("it is `skip` or `stop`"),
        }
    }
}

fn main() -> ExitCode {
    let (dir, options) = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return wrong(&error),
    };
    // it is there as long as this lives
    let made_up = match &dir {
        Some(_) => None,
        None => match made_up_images(options.workers) {
            Ok(made_up) => Some(made_up),
            Err(error) => return failed(&*error),
        },
    };
    let root = dir.or_else(|| Some(made_up.as_ref()?.path().to_owned())).unwrap_or_default();
    let folder = match Folder::new(root.clone(), options) {
        Ok(folder) if folder.len() == 0 => return wrong(&format!("no JPEG or PNG in `{}`", root.display())),
        Ok(folder) => folder,
        Err(error) => return wrong(&error),
    };
    match train(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

const USAGE: &str =
    "train [--on-bad skip|stop] [--epochs N] [--batchsize N] [--workers N] [--seed N] [--trace FILE] [DIR]";

fn wrong(error: &dyn Display) -> ExitCode {
    eprintln!("train: {error}\n{USAGE}");
    ExitCode::from(2)
}

fn failed(error: &dyn Display) -> ExitCode {
    eprintln!("train: {error}");
    ExitCode::FAILURE
}

/// `None` if help is asked for.
fn arguments() -> Result<Option<(Option<PathBuf>, Options)>, lexopt::Error> {
    use lexopt::prelude::*;
    let workers = available_parallelism().map_or(1, NonZero::get);
    let mut options = Options { on_bad: OnBad::Skip, epochs: 2, batchsize: 32, workers, seed: 42, trace: None };
    let mut dir = None;
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("on-bad") => options.on_bad = args.value()?.parse()?,
            Long("epochs") => options.epochs = at_least_one(args.value()?.parse()?)?,
            Long("batchsize") => options.batchsize = at_least_one(args.value()?.parse()?)?,
            Long("workers") => options.workers = at_least_one(args.value()?.parse()?)?,
            Long("seed") => options.seed = args.value()?.parse()?,
            Long("trace") => options.trace = Some(args.value()?.into()),
            Short('h') | Long("help") => return Ok(None),
            Value(value) if dir.is_none() => dir = Some(value.into()),
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(Some((dir, options)))
}

fn at_least_one<N: PartialEq + From<bool>>(n: N) -> Result<N, lexopt::Error> {
    if n == N::from(false) { Err("at least 1 is needed".into()) } else { Ok(n) }
}

/// A folder with patterns of three classes, and three files that are no images.
fn made_up_images(workers: usize) -> Result<TempDir, Failure> {
    const EACH: usize = 30;
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    for (class, _) in PATTERNS {
        fs::create_dir(root.join(class))?;
    }
    thread::scope(|s| {
        pipeline! {
            range(EACH * PATTERNS.len())
            |> thread::map(|i| draw(root, i % PATTERNS.len(), i), workers = workers, scope = s)
            |> try_map(|drawn| drawn)
            |> try_for_each(|()| Ok::<_, Error>(()))
        }
    })?;
    fs::write(root.join("rings/empty.jpg"), "")?;
    fs::write(root.join("stripes/letter.png"), "Dear reader, this is not an image.")?;
    let whole = fs::read(root.join("checks/002.jpg"))?;
    fs::write(root.join("checks/torn.jpg"), &whole[..200])?;
    Ok(folder)
}

/// What a class's images show: at a place (from -1 to 1), for a frequency, the part of the light colour.
type Pattern = fn([f32; 2], f32) -> f32;
const PATTERNS: [(&str, Pattern); 3] = [
    ("rings", |[x, y], frequency| (x.hypot(y) * frequency).sin()),
    ("stripes", |[x, y], frequency| ((x + y / 2.0) * frequency).sin()),
    ("checks", |[x, y], frequency| (x * frequency).sin() * (y * frequency).sin()),
];

/// Writes image `i`, of a class, in colours near to the class's own.
fn draw(root: &Path, class: usize, i: usize) -> Result<(), Failure> {
    let (name, pattern) = PATTERNS[class];
    let mut rng = dataloader::rng(0, 0, i);
    let frequency = rng.random_range(6.0..30.0);
    let mut dark = [0, 1, 2].map(|channel| if channel == class { 110.0_f32 } else { 70.0 });
    dark.iter_mut().for_each(|channel| *channel += rng.random_range(-40.0..40.0));
    let (width, height) = (rng.random_range(240..400), rng.random_range(240..400));
    let image = RgbImage::from_fn(width, height, |x, y| {
        let place = [(x, width), (y, height)].map(|(at, size)| 2.0 * at as f32 / size as f32 - 1.0);
        let light = 100.0 * pattern(place, frequency).max(0.0);
        Rgb(dark.map(|channel| (channel + light).clamp(0.0, 255.0) as u8))
    });
    let extension = if i % 10 == 9 { "png" } else { "jpg" };
    Ok(image.save(root.join(name).join(format!("{i:03}.{extension}")))?)
}
