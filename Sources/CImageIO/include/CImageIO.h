#pragma once

#include <stddef.h>
#include <stdint.h>

// PNG and JPEG in memory, through libpng and libjpeg-turbo, with every failure as a return code.
// No function here prints, exits, or lets a longjmp leave its own frame.

typedef enum cio_status {
  CIO_OK = 0,
  CIO_TRUNCATED,    // the data end before the picture does
  CIO_CORRUPT,      // the data contradict themselves or the format
  CIO_TOO_LARGE,    // a limit of cio_limits is exceeded
  CIO_UNSUPPORTED,  // valid, but of a kind that the decoder does not do
  CIO_NO_MEMORY
} cio_status;

// What a file may make the decoder spend. Sizes are checked before memory is taken.
typedef struct cio_limits {
  uint32_t max_side;            // pixels, width and height each
  uint64_t max_pixels;          // width * height
  uint64_t max_decoder_bytes;   // coefficients of JPEG files of several scans
  uint64_t max_metadata_bytes;  // libpng's own memory (text chunks, EXIF)
  uint32_t max_scans;           // scans of one JPEG file
} cio_limits;

typedef struct cio_failure {
  char message[160];  // NUL-terminated, empty on success
} cio_failure;

// One PNG text chunk: a Latin-1 key, and a value of `length` bytes, Latin-1 or UTF-8.
typedef struct cio_text {
  char *key;
  char *value;
  size_t length;
  int is_utf8;
} cio_text;

// A decoded file. Everything in it is owned by it: give it to cio_image_free, also after a failure.
typedef struct cio_image {
  uint32_t width, height;
  uint8_t *pixels;  // [height, width, 3], RGB; NULL when only the header was asked for
  uint8_t *exif;    // the TIFF block of the EXIF data, or NULL
  size_t exif_size;
  cio_text *text;
  size_t text_count;
} cio_image;

// A growing byte buffer, owned by the caller: give it to cio_bytes_free, also after a failure.
typedef struct cio_bytes {
  uint8_t *data;
  size_t size, capacity;
} cio_bytes;

typedef enum cio_content { CIO_HEADER_AND_TEXT, CIO_EVERYTHING } cio_content;

// Decodes a PNG of any colour type and bit depth to 8-bit RGB: 16-bit samples keep their high byte,
// transparency is composited over white, colour-space chunks (gAMA, iCCP, ...) are ignored.
cio_status cio_png_decode(cio_image *image, cio_failure *failure, const uint8_t *data, size_t size,
                          const cio_limits *limits, cio_content content);

// Decodes a grey, YCbCr, RGB, CMYK or YCCK JPEG to 8-bit RGB. CMYK is taken as Adobe writes it
// (inverted), as browsers and Pillow do. EXIF orientation is reported, not applied.
cio_status cio_jpeg_decode(cio_image *image, cio_failure *failure, const uint8_t *data, size_t size,
                           const cio_limits *limits, cio_content content);

void cio_image_free(cio_image *image);

// How a text chunk is written; the value of a CIO_ITXT* chunk is UTF-8, of the others Latin-1.
enum { CIO_TEXT = 0, CIO_ZTXT = 1, CIO_ITXT = 2, CIO_ITXT_COMPRESSED = 3 };

// Encodes pixels [height, width, channels] as an 8-bit PNG, grey (1 channel) or RGB (3). `text`
// holds `text_count` records of a kind byte (enum above), a NUL-terminated key and a NUL-terminated
// value. `level` is zlib's, 0 (none) to 9.
cio_status cio_png_encode(cio_bytes *out, cio_failure *failure, const uint8_t *pixels,
                          uint32_t width, uint32_t height, uint32_t channels, const uint8_t *text,
                          size_t text_count, int level);

// Encodes pixels [height, width, 3] as a baseline JPEG of quality 1...100;
// chroma at full resolution if `full_chroma`, else at half in both directions.
cio_status cio_jpeg_encode(cio_bytes *out, cio_failure *failure, const uint8_t *pixels,
                           uint32_t width, uint32_t height, int quality, int full_chroma);

void cio_bytes_free(cio_bytes *bytes);

// One output position of a resampling pass: `count` taps from input position `first` on.
typedef struct cio_span {
  uint32_t first, count;
} cio_span;

// Fixed-point weights of cio_resample_*: 22 fractional bits, so that 8-bit sums fit in 32 bits.
enum { CIO_WEIGHT_BITS = 32 - 8 - 2 };

// dst [height, dst_width, 3] from src [height, src_width, 3]; spans [dst_width],
// weights [dst_width, taps]. Overwrites dst, which may not alias src.
void cio_resample_rows(uint8_t *dst, const uint8_t *src, size_t height, size_t src_width,
                       size_t dst_width, const cio_span *spans, const int32_t *weights,
                       size_t taps);

// dst [dst_height, width, 3] from src [src_height, width, 3]; spans [dst_height],
// weights [dst_height, taps]; scratch [3 * width]. Overwrites dst, which may not alias src.
void cio_resample_columns(uint8_t *dst, const uint8_t *src, int32_t *scratch, size_t width,
                          size_t dst_height, const cio_span *spans, const int32_t *weights,
                          size_t taps);

// dst[y, x] = src[first + x * step_x + y * step_y], in pixels of 3 bytes; dst [height, width, 3].
void cio_copy_strided(uint8_t *dst, const uint8_t *src, size_t width, size_t height,
                      ptrdiff_t first, ptrdiff_t step_x, ptrdiff_t step_y);
