// A convolution's window over images.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_WINDOW_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_WINDOW_H_

#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/simt.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// kWidth elements; there or not, they may be loaded.
template <class T>
struct Found {
  const T* address;
  bool present;
};

// Images [n, row, column, channel] under a window: by pixel, for which the
// window is placed, and tap (kernel row, kernel column, channel). A pixel is
// (n, y, x) of the other end of the window.
template <class T>
struct Window {
  // Where the window lies for a pixel.
  struct Place {
    int offset;
    int row;
    int col;
  };
  SIMT_FUNCTION Place PlaceOf(int pixel) const {
    int y, x;
    const int image = pixel_rows.Divide(pixel_cols.Divide(pixel, &x), &y);
    const int row = y * pixel_step + first_row;
    const int col = x * pixel_step + first_col;
    return {((image * height + row) * width + col) * channel_count, row, col};
  }

  // Relative to the place.
  SIMT_FUNCTION Place TapOf(int tap) const {
    int channel, x;
    const int y = tap_cols.Divide(channels.Divide(tap, &channel), &x);
    const int row = y * tap_step;
    const int col = x * tap_step;
    return {(row * width + col) * channel_count + channel, row, col};
  }

  SIMT_FUNCTION Found<T> Find(const Place& place, const Place& tap,
                              bool present) const {
    // Negative ones are large as unsigned numbers.
    const auto row = static_cast<unsigned>(place.row + tap.row);
    const auto col = static_cast<unsigned>(place.col + tap.col);
    present &= row < static_cast<unsigned>(height) &&
               col < static_cast<unsigned>(width);
    return {data + (present ? place.offset + tap.offset : 0), present};
  }

  const T* data;
  int height;
  int width;
  int channel_count;
  int pixels;
  int taps;
  // Row of a pixel's tap: y * pixel_step + first_row + kernel row * tap_step.
  int pixel_step;
  int tap_step;
  int first_row;
  int first_col;
  int no_padding;
  Divisor pixel_rows, pixel_cols, tap_cols, channels;
};

// The gradient of a convolution's input where the stride is above 1: rows and
// columns count in `spread` images, whose pixels lie stride apart.
template <class T>
struct SpreadWindow : Window<T> {
  using Place = typename Window<T>::Place;

  SIMT_FUNCTION Place PlaceOf(int pixel) const {
    int y, x;
    const int image =
        this->pixel_rows.Divide(this->pixel_cols.Divide(pixel, &x), &y);
    return {image * this->height * this->width * this->channel_count,
            y + this->first_row, x + this->first_col};
  }

  SIMT_FUNCTION Place TapOf(int tap) const {
    int channel, x;
    const int y =
        this->tap_cols.Divide(this->channels.Divide(tap, &channel), &x);
    return {channel, -y, -x};
  }

  SIMT_FUNCTION Found<T> Find(const Place& place, const Place& tap,
                              bool present) const {
    int row_rest, col_rest;
    const int row = Unspread(place.row + tap.row, &row_rest);
    const int col = Unspread(place.col + tap.col, &col_rest);
    present &=
        (row_rest | col_rest) == 0 && row < this->height && col < this->width;
    const int at = (row * this->width + col) * this->channel_count;
    return {this->data + (present ? place.offset + tap.offset + at : 0),
            present};
  }

  // A negative one has a rest.
  SIMT_FUNCTION int Unspread(int at, int* rest) const {
    const int result = stride.Divide(at < 0 ? 0 : at, rest);
    if (at < 0) *rest = 1;
    return result;
  }

  Divisor stride;
  int no_padding = 0;
};

// x under the window, by output pixel.
template <class T>
Window<T> InputWindow(const ConvShape& s, const void* x) {
  return {static_cast<const T*>(x),
          static_cast<int>(s.in_height),
          static_cast<int>(s.in_width),
          static_cast<int>(s.in_channels),
          static_cast<int>(s.out_pixels()),
          static_cast<int>(s.window() * s.in_channels),
          /*pixel_step=*/static_cast<int>(s.stride),
          /*tap_step=*/1,
          static_cast<int>(-s.pad_top),
          static_cast<int>(-s.pad_left),
          /*no_padding=*/0,
          Divisor(s.out_height),
          Divisor(s.out_width),
          Divisor(s.width),
          Divisor(s.in_channels)};
}

// dy, by input pixel, where the stride is 1.
template <class T>
Window<T> OutputWindow(const ConvShape& s, const void* dy) {
  return {static_cast<const T*>(dy),
          static_cast<int>(s.out_height),
          static_cast<int>(s.out_width),
          static_cast<int>(s.out_channels),
          static_cast<int>(s.in_pixels()),
          static_cast<int>(s.window() * s.out_channels),
          /*pixel_step=*/1,
          /*tap_step=*/-1,
          static_cast<int>(s.pad_top),
          static_cast<int>(s.pad_left),
          /*no_padding=*/0,
          Divisor(s.in_height),
          Divisor(s.in_width),
          Divisor(s.width),
          Divisor(s.out_channels)};
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_WINDOW_H_
