// SPDX-License-Identifier: MIT
//! hone from Rust: the loss of README.md's first program, by include/hone.h.
//!
//!     g++ -std=c++20 -O2 -I include -I /usr/include/eigen3 -c include/hone/c/hone.cpp -o hone.o && ar rcs libhone.a hone.o
//!     rustc -O examples/c_interface/loss.rs -L . -l hone -l stdc++ && ./loss
use std::mem::size_of;
use std::ffi::{c_char, c_void, CStr};
use std::ptr::{null, null_mut};

// [rust]
#[repr(C)]
#[derive(Clone, Copy)]
struct Vector { data: *const c_void, size: i64, dtype: i32 }
#[repr(C)]
struct Array { data: *const c_void, dtype: i32, layout: i32, rows: i64, columns: i64, stride: i64 }
#[repr(C)]
struct RowOptions {
    size: usize, kind: i32, ignores: i32, ignore: i64, factor: f64, smoothing: f64, leave_one_out: i32, unused: i32,
    gamma: f64, epsilon: f64, z_loss: f64, distillation: f64, temperature: f64, class_weights: Vector,
}
#[repr(C)]
struct Targets {
    size: usize, labels: Vector, mixed_labels: Vector, partners: Vector, lambdas: Vector, numbers: *const Array,
    teacher: *const Array, row_weights: Vector,
}
#[repr(C)]
struct Outputs {
    size: usize, reduction: i32, unused: i32, count: f64, gradient: *mut c_void, gradient_stride: i64,
    unreduced: *mut c_void,
}
extern "C" {
    fn hone_row_loss_create(options: *const RowOptions, loss: *mut *mut c_void) -> i32;
    fn hone_loss_free(loss: *mut c_void);
    fn hone_evaluate(context: *const c_void, loss: *const c_void, prediction: *const Array, targets: *const Targets,
                     outputs: *const Outputs, value: *mut f64) -> i32;
    fn hone_last_error() -> *const c_char;
}
const FLOAT32: i32 = 1;
const INT32: i32 = 5;
const NONE: Vector = Vector { data: null(), size: 0, dtype: 0 };

/// Cross entropy of smoothed labels; writes its gradient.
fn cross_entropy(logits: &[f32], labels: &[i32], smoothing: f64, gradient: &mut [f32]) -> Result<f64, String> {
    let (rows, columns) = (labels.len(), logits.len() / labels.len().max(1));
    assert_eq!((logits.len(), gradient.len()), (rows * columns, logits.len()));
    let options = RowOptions {
        size: size_of::<RowOptions>(), kind: 0, ignores: 0, ignore: 0, factor: 1.0, smoothing, leave_one_out: 0,
        unused: 0, gamma: 2.0, epsilon: 2.0, z_loss: 0.0, distillation: 0.0, temperature: 1.0, class_weights: NONE,
    };
    let prediction = Array {
        data: logits.as_ptr().cast(), dtype: FLOAT32, layout: 0, rows: rows as i64, columns: columns as i64,
        stride: columns as i64,
    };
    let targets = Targets {
        size: size_of::<Targets>(), labels: Vector { data: labels.as_ptr().cast(), size: rows as i64, dtype: INT32 },
        mixed_labels: NONE, partners: NONE, lambdas: NONE, numbers: null(), teacher: null(), row_weights: NONE,
    };
    let outputs = Outputs {
        size: size_of::<Outputs>(), reduction: 0, unused: 0, count: 0.0, gradient: gradient.as_mut_ptr().cast(),
        gradient_stride: 0, unreduced: null_mut(),
    };
    let (mut loss, mut value) = (null_mut(), 0.0);
    unsafe {
        let mut status = hone_row_loss_create(&options, &mut loss);
        if status == 0 { status = hone_evaluate(null(), loss, &prediction, &targets, &outputs, &mut value); }
        hone_loss_free(loss);
        if status == 0 { Ok(value) } else { Err(CStr::from_ptr(hone_last_error()).to_string_lossy().into_owned()) }
    }
}
// [/rust]

fn main() -> Result<(), String> {
    let mut gradient = [0.0; 6];
    let loss = cross_entropy(&[2.0, 0.0, -1.0, 0.5, 1.0, 3.0], &[0, 2], 0.1, &mut gradient)?;
    println!("loss {loss:.4} {gradient:.4?}");
    let wrong = cross_entropy(&[0.0; 6], &[0, 3], 0.1, &mut gradient).unwrap_err();
    assert_eq!(wrong, "hone_evaluate: the label of row 1 is 3, must be in [0, 3)");
    Ok(())
}
