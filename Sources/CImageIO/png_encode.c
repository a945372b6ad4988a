#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct png_encoder {
  jmp_buf escape;
  cio_status status;
  cio_failure *failure;
  cio_bytes *out;
  png_structp png;
  png_infop info;
} png_encoder;

static void on_error(png_structp png, png_const_charp message) {
  png_encoder *encoder = png_get_error_ptr(png);
  if (encoder->status == CIO_OK) {
    encoder->status = cio_fail(encoder->failure, CIO_CORRUPT, "%s", message);
  }
  longjmp(encoder->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_write(png_structp png, png_bytep data, png_size_t size) {
  png_encoder *encoder = png_get_io_ptr(png);
  if (!cio_bytes_append(encoder->out, data, size)) {
    encoder->status = cio_fail(encoder->failure, CIO_NO_MEMORY, "no memory for the PNG file");
    png_error(png, "no memory");
  }
}

static void on_flush(png_structp png) { (void)png; }

static void set_text(png_encoder *encoder, const uint8_t *text, size_t count) {
  static const int compression[4] = {PNG_TEXT_COMPRESSION_NONE, PNG_TEXT_COMPRESSION_zTXt,
                                     PNG_ITXT_COMPRESSION_NONE, PNG_ITXT_COMPRESSION_zTXt};
  for (size_t i = 0; i < count; i++) {
    png_text chunk;
    memset(&chunk, 0, sizeof chunk);
    chunk.compression = compression[*text++ & 3];
    chunk.key = (char *)text;
    text += strlen(chunk.key) + 1;
    chunk.text = (char *)text;
    size_t length = strlen(chunk.text);
    text += length + 1;
    if (chunk.compression >= PNG_ITXT_COMPRESSION_NONE) {
      chunk.itxt_length = length;
      chunk.lang = chunk.lang_key = "";
    } else {
      chunk.text_length = length;
    }
    png_set_text(encoder->png, encoder->info, &chunk, 1);
  }
}

// The part that may be left by longjmp.
static void encode(png_encoder *encoder, const uint8_t *pixels, uint32_t width, uint32_t height,
                   uint32_t channels, const uint8_t *text, size_t text_count, int level) {
  if (setjmp(encoder->escape)) return;
  encoder->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, encoder, on_error, on_warning);
  encoder->info = encoder->png ? png_create_info_struct(encoder->png) : NULL;
  if (!encoder->info) {
    encoder->status = cio_fail(encoder->failure, CIO_NO_MEMORY, "no memory for the PNG encoder");
    return;
  }
  png_set_write_fn(encoder->png, encoder, on_write, on_flush);
  png_set_compression_level(encoder->png, level);
  png_set_IHDR(encoder->png, encoder->info, width, height, 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  set_text(encoder, text, text_count);
  png_write_info(encoder->png, encoder->info);
  for (size_t y = 0; y < height; y++) {
    png_write_row(encoder->png, pixels + y * width * channels);
  }
  png_write_end(encoder->png, encoder->info);
}

cio_status cio_png_encode(cio_bytes *out, cio_failure *failure, const uint8_t *pixels,
                          uint32_t width, uint32_t height, uint32_t channels, const uint8_t *text,
                          size_t text_count, int level) {
  memset(out, 0, sizeof *out);
  memset(failure, 0, sizeof *failure);
  png_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return cio_fail(failure, CIO_NO_MEMORY, "no memory for the PNG encoder");
  encoder->failure = failure;
  encoder->out = out;
  encode(encoder, pixels, width, height, channels, text, text_count, level);
  png_destroy_write_struct(&encoder->png, &encoder->info);
  cio_status status = encoder->status;
  free(encoder);
  return status;
}
