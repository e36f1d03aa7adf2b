//! What the data loaders load, and how their batches are checked.

use crate::work::spin;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::ImageReader;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use std::cell::RefCell;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use tinypl::pipeline;

/// Samples by their index, and batches of them. The index may be any number: a dataset begins again after its end.
pub trait Dataset: Send + Sync + 'static {
    /// What is loaded.
    type Sample;
    /// The sample at an index.
    fn get(&self, index: usize) -> Self::Sample;
    /// Samples to an array.
    fn stack(&self, samples: Vec<Self::Sample>) -> Vec<f32>;
    /// Of a batch, given the number of its first sample: sensitive to the places of the samples.
    fn digest(&self, first: usize, batch: &[f32]) -> u64;
}

/// The batch of the samples from `first`, in the thread that calls.
pub fn batch<D: Dataset>(dataset: &D, first: usize, size: usize) -> Vec<f32> {
    dataset.stack((first..first + size).map(|index| dataset.get(index)).collect())
}

/// Small images in memory, as bytes.
#[derive(Debug)]
pub struct Bytes {
    images: &'static [[u8; Bytes::SIZE]],
    /// Of work that a sample takes beside.
    steps: u64,
}

impl Bytes {
    /// 64 × 64 pixels of three channels.
    pub const SIZE: usize = 64 * 64 * 3;
    /// 50 MB.
    const IMAGES: usize = 4096;

    /// The samples; each takes so many steps of [`spin`].
    #[must_use]
    pub fn new(steps: u64) -> Self {
        let byte = |i: usize, j: usize| (i * 31 + j * 7 + (i * j) % 251) as u8;
        let images: Vec<_> = (0..Self::IMAGES).map(|i| std::array::from_fn(|j| byte(i, j))).collect();
        Self { images: images.leak(), steps }
    }

    /// The digest of `n` samples.
    #[must_use]
    pub fn expected(&self, n: u64, batchsize: usize) -> u64 {
        let n = n as usize;
        let batches = (0..n).step_by(batchsize).map(|first| {
            let size = batchsize.min(n - first);
            let at = |k: usize| u64::from(self.images[(first + k / Self::SIZE) % Self::IMAGES][k % Self::SIZE]);
            glance(first, size * Self::SIZE, at)
        });
        batches.fold(0, u64::wrapping_add)
    }
}

/// At three places of a batch of `len` elements.
fn glance(first: usize, len: usize, at: impl Fn(usize) -> u64) -> u64 {
    let seen = len as u64 + at(0) + 3 * at(len / 2) + 7 * at(len - 1);
    seen.wrapping_mul(first as u64 + 1)
}

impl Dataset for Bytes {
    type Sample = &'static [u8; Bytes::SIZE];

    fn get(&self, index: usize) -> Self::Sample {
        black_box(spin(self.steps, index as u64));
        &self.images[index % Self::IMAGES]
    }

    fn stack(&self, samples: Vec<Self::Sample>) -> Vec<f32> {
        let mut batch = Vec::with_capacity(samples.len() * Self::SIZE);
        for sample in samples {
            batch.extend(sample.iter().map(|&byte| f32::from(byte) / 255.0));
        }
        batch
    }

    fn digest(&self, first: usize, batch: &[f32]) -> u64 {
        glance(first, batch.len(), |k| (batch[k] * 255.0).round() as u64)
    }
}

/// A folder of photograph-like JPEGs of 500 × 375 pixels, resized to 224 × 224.
#[derive(Debug)]
pub struct Jpegs {
    files: Vec<PathBuf>,
}

impl Jpegs {
    const FILES: usize = 128;
    const SIDE: usize = 224;
    /// Elements an image.
    pub const SIZE: usize = 3 * Self::SIDE * Self::SIDE;

    /// The images in a folder; they are made, once, if it is not there.
    ///
    /// # Panics
    ///
    /// If they can't be written.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let files: Vec<PathBuf> = (0..Self::FILES).map(|i| folder.join(format!("{i:03}.jpg"))).collect();
        fs::create_dir_all(folder).expect("a folder");
        let missing: Vec<_> = files.iter().cloned().enumerate().filter(|(_, file)| !file.exists()).collect();
        pipeline! {
            missing |> thread::map(|(i, file)| photograph(i, &file), workers = 2) |> for_each(drop)
        };
        Self { files }
    }

    /// How bright image `i` is on average, in steps that no decoder or resizer confuses.
    fn level(i: usize) -> u64 {
        (i % 8) as u64
    }

    /// The digest of `n` images.
    #[must_use]
    pub fn expected(n: u64) -> u64 {
        (0..n as usize).fold(0, |digest, i| digest.wrapping_add(place(i, Self::level(i % Self::FILES))))
    }
}

fn place(i: usize, level: u64) -> u64 {
    (i as u64 + 1).wrapping_mul(level + 1)
}

impl Dataset for Jpegs {
    type Sample = Vec<u8>;

    fn get(&self, index: usize) -> Vec<u8> {
        thread_local! {
            static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
        }
        let file = &self.files[index % Self::FILES];
        let image = ImageReader::open(file).expect("the file").decode().expect("a JPEG").into_rgb8();
        let source = ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x3).expect("RGB");
        let mut resized = Image::new(Self::SIDE as u32, Self::SIDE as u32, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        RESIZER.with_borrow_mut(|resizer| resizer.resize(&source, &mut resized, &options)).expect("a size");
        resized.into_vec()
    }

    /// Image, channel, row, column.
    fn stack(&self, samples: Vec<Vec<u8>>) -> Vec<f32> {
        let mut batch = Vec::with_capacity(samples.len() * Self::SIZE);
        for sample in samples {
            let (pixels, _) = sample.as_chunks::<3>();
            for channel in 0..3 {
                batch.extend(pixels.iter().map(|pixel| f32::from(pixel[channel]) / 255.0));
            }
        }
        batch
    }

    fn digest(&self, first: usize, batch: &[f32]) -> u64 {
        let red = batch.chunks_exact(Self::SIZE).map(|image| &image[..Self::SIDE * Self::SIDE]);
        let levels = red.map(|red| {
            let mean = 255.0 * red.iter().sum::<f32>() / red.len() as f32;
            ((mean - 72.0) / 16.0).round() as u64
        });
        levels.enumerate().fold(0, |digest, (i, level)| digest.wrapping_add(place(first + i, level)))
    }
}

/// Writes an image with details of all sizes, as photographs have them: octaves of noise. Its red is `level` steps of 16
/// above 72 on average.
fn photograph(i: usize, file: &Path) {
    const WIDTH: usize = 500;
    const HEIGHT: usize = 375;
    let mut pixels = vec![0.0_f32; 3 * WIDTH * HEIGHT];
    for channel in 0..3 {
        for octave in 0..8_u32 {
            // fine detail has no colour
            let seed = (i as u32) << 8 | octave << 2 | if octave < 4 { channel } else { 0 };
            let (scale, strength) = (0.004 * (1 << octave) as f32, 60.0 / 1.3_f32.powi(octave as i32));
            for (k, pixel) in pixels.iter_mut().skip(channel as usize).step_by(3).enumerate() {
                *pixel += strength * noise(seed, (k % WIDTH) as f32 * scale, (k / WIDTH) as f32 * scale);
            }
        }
    }
    // what is cut off at 0 and 255 moves the mean: so it is set last, a few times over
    let wanted = 72.0 + 16.0 * Jpegs::level(i) as f32;
    for _ in 0..8 {
        let shown = pixels.iter().step_by(3).map(|x| x.clamp(0.0, 255.0)).sum::<f32>() / (WIDTH * HEIGHT) as f32;
        pixels.iter_mut().for_each(|x| *x += wanted - shown);
    }
    let bytes: Vec<u8> = pixels.iter().map(|x| x.round() as u8).collect();
    let half = file.with_extension("tmp");
    let mut encoder = Encoder::new_file(&half, 90).expect("a file");
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&bytes, WIDTH as u16, HEIGHT as u16, ColorType::Rgb).expect("it is written");
    // whole or not at all
    fs::rename(half, file).expect("a folder");
}

/// Value noise: random numbers from -0.5 to 0.5 at whole places, smooth between them.
fn noise(seed: u32, x: f32, y: f32) -> f32 {
    let at = |x: i32, y: i32| {
        let key = (x as u32).wrapping_mul(0x9e37_79b1)
            ^ (y as u32).wrapping_mul(0x85eb_ca77)
            ^ seed.wrapping_mul(0xc2b2_ae3d);
        let mixed = (key ^ (key >> 15)).wrapping_mul(0x2c1b_3c6d);
        ((mixed ^ (mixed >> 12)) & 0xffff) as f32 / 65536.0 - 0.5
    };
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (column, row) = (x.floor(), y.floor());
    let (u, v) = (smooth(x - column), smooth(y - row));
    let (column, row) = (column as i32, row as i32);
    let top = at(column, row) * (1.0 - u) + at(column + 1, row) * u;
    let bottom = at(column, row + 1) * (1.0 - u) + at(column + 1, row + 1) * u;
    top * (1.0 - v) + bottom * v
}
