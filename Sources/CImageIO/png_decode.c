#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

// Everything a decode owns lives here, outside the frame that longjmp may rewind.
typedef struct png_decoder {
  jmp_buf escape;
  cio_status status;
  cio_failure *failure;
  const uint8_t *data;
  size_t size, position;
  uint64_t allocated, max_allocated;
  png_structp png;
  png_infop info;
  uint8_t *rows;        // one row, or all of them when interlaced; RGB or RGBA
  png_bytep *pointers;  // into rows, when interlaced
  cio_image *image;
} png_decoder;

static void on_error(png_structp png, png_const_charp message) {
  png_decoder *decoder = png_get_error_ptr(png);
  if (decoder->status == CIO_OK) {
    decoder->status = cio_fail(decoder->failure, CIO_CORRUPT, "%s", message);
  }
  longjmp(decoder->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_read(png_structp png, png_bytep out, png_size_t count) {
  png_decoder *decoder = png_get_io_ptr(png);
  if (count > decoder->size - decoder->position) {
    decoder->status =
        cio_fail(decoder->failure, CIO_TRUNCATED,
                 "the file ends after %zu bytes, in the middle of the picture", decoder->size);
    png_error(png, "truncated");
  }
  memcpy(out, decoder->data + decoder->position, count);
  decoder->position += count;
}

// More text chunks than any writer makes; libpng ignores the rest.
enum { max_chunks = 256 };

// Allocations carry their size in front, so that what libpng holds at any time can be bounded.
enum { size_prefix = 16 };

static png_voidp on_malloc(png_structp png, png_alloc_size_t size) {
  png_decoder *decoder = png_get_mem_ptr(png);
  if (size > decoder->max_allocated - decoder->allocated) return NULL;
  uint8_t *block = malloc((size_t)size + size_prefix);
  if (!block) return NULL;
  uint64_t recorded = size;
  memcpy(block, &recorded, sizeof recorded);
  decoder->allocated += size;
  return block + size_prefix;
}

static void on_free(png_structp png, png_voidp pointer) {
  if (!pointer) return;
  png_decoder *decoder = png_get_mem_ptr(png);
  uint8_t *block = (uint8_t *)pointer - size_prefix;
  uint64_t recorded;
  memcpy(&recorded, block, sizeof recorded);
  decoder->allocated -= recorded;
  free(block);
}

// src over white for 8-bit values: (src * alpha + 255 * (255 - alpha)) / 255, rounded.
static inline uint8_t over_white(unsigned src, unsigned alpha) {
  unsigned sum = src * alpha + 255 * (255 - alpha) + 128;
  return (uint8_t)((sum + (sum >> 8)) >> 8);
}

static void convert_row(uint8_t *dst, const uint8_t *src, size_t width, int channels) {
  if (channels == 3) {
    memcpy(dst, src, width * 3);
    return;
  }
  for (size_t x = 0; x < width; x++, dst += 3, src += 4) {
    for (int c = 0; c < 3; c++) dst[c] = over_white(src[c], src[3]);
  }
}

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Refuses sizes beyond the limits, and sizes that so few bytes of deflate cannot hold:
// deflate never expands more than 1032-fold (258 bytes from two bits).
static cio_status check_header(const uint8_t *data, size_t size, const cio_limits *limits,
                               cio_failure *failure) {
  static const int channels[8] = {1, 0, 3, 1, 2, 0, 4, 0};
  if (size < 33) {
    return cio_fail(failure, CIO_TRUNCATED, "the file ends after %zu bytes, in the header", size);
  }
  if (memcmp(data + 12, "IHDR", 4) != 0) {
    return cio_fail(failure, CIO_CORRUPT, "the first chunk is not IHDR");
  }
  uint64_t width = big_endian(data + 16), height = big_endian(data + 20);
  cio_status status = cio_check_size(failure, width, height, limits);
  if (status != CIO_OK) return status;
  uint64_t row = (width * channels[data[25] & 7] * data[24] + 7) / 8;
  if (row * height > (uint64_t)size * 1032 + 1032) {
    return cio_fail(failure, CIO_TRUNCATED,
                    "the header claims %llux%llu pixels, which %zu bytes cannot hold",
                    (unsigned long long)width, (unsigned long long)height, size);
  }
  return CIO_OK;
}

// Chunks that cannot change the result are dropped unread.
static void ignore_colour_chunks(png_structp png) {
  static const png_byte names[] =
      "iCCP\0gAMA\0cHRM\0sRGB\0sPLT\0hIST\0pCAL\0sCAL\0tIME\0bKGD\0pHYs\0oFFs\0sBIT";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, names, sizeof names / 5);
}

static void read_pixels(png_decoder *decoder) {
  png_structp png = decoder->png;
  cio_image *image = decoder->image;
  png_byte colour = png_get_color_type(png, decoder->info);
  png_set_expand(png);
  png_set_strip_16(png);
  if (!(colour & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, decoder->info);

  int channels = png_get_channels(png, decoder->info);
  size_t stride = png_get_rowbytes(png, decoder->info);
  if ((channels != 3 && channels != 4) || stride != (size_t)image->width * channels) {
    png_error(png, "unexpected row layout");
  }
  size_t kept = passes > 1 ? image->height : 1;
  decoder->rows = malloc(stride * kept);
  decoder->pointers = calloc(kept, sizeof *decoder->pointers);
  if (!decoder->rows || !decoder->pointers ||
      cio_allocate_pixels(image, decoder->failure) != CIO_OK) {
    decoder->status = cio_fail(decoder->failure, CIO_NO_MEMORY, "no memory for the pixels");
    png_error(png, "no memory");
  }
  if (passes > 1) {
    for (size_t y = 0; y < kept; y++) decoder->pointers[y] = decoder->rows + y * stride;
    png_read_image(png, decoder->pointers);
  }
  for (size_t y = 0; y < image->height; y++) {
    if (passes == 1) png_read_row(png, decoder->rows, NULL);
    const uint8_t *row = decoder->rows + (passes > 1 ? y * stride : 0);
    convert_row(image->pixels + y * image->width * 3, row, image->width, channels);
  }
}

static char *copy_bytes(const char *bytes, size_t count) {
  char *copy = malloc(count + 1);
  if (!copy) return NULL;
  memcpy(copy, bytes, count);
  copy[count] = 0;
  return copy;
}

static void copy_metadata(png_decoder *decoder) {
  cio_image *image = decoder->image;
  png_textp chunks = NULL;
  int count = 0;
  png_get_text(decoder->png, decoder->info, &chunks, &count);
  if (count > 0) image->text = calloc((size_t)count, sizeof *image->text);
  for (int i = 0; i < count && image->text; i++) {
    cio_text *text = &image->text[image->text_count];
    text->is_utf8 = chunks[i].compression >= PNG_ITXT_COMPRESSION_NONE;
    const char *value = chunks[i].text ? chunks[i].text : "";
    text->length = text->is_utf8 ? chunks[i].itxt_length : chunks[i].text_length;
    text->key = copy_bytes(chunks[i].key, strlen(chunks[i].key));
    text->value = copy_bytes(value, text->length);
    if (!text->key || !text->value) {
      free(text->key);
      free(text->value);
      return;
    }
    image->text_count++;
  }
  png_uint_32 size = 0;
  png_bytep exif = NULL;
  if (png_get_eXIf_1(decoder->png, decoder->info, &size, &exif) && size > 0) {
    image->exif = (uint8_t *)copy_bytes((const char *)exif, size);
    image->exif_size = image->exif ? size : 0;
  }
}

// The part that may be left by longjmp.
static void decode(png_decoder *decoder, const cio_limits *limits, cio_content content) {
  if (setjmp(decoder->escape)) return;
  decoder->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning,
                                          decoder, on_malloc, on_free);
  decoder->info = decoder->png ? png_create_info_struct(decoder->png) : NULL;
  if (!decoder->info) {
    decoder->status = cio_fail(decoder->failure, CIO_NO_MEMORY, "no memory for the PNG decoder");
    return;
  }
  png_set_read_fn(decoder->png, decoder, on_read);
  png_set_user_limits(decoder->png, limits->max_side, limits->max_side);
  png_set_chunk_malloc_max(decoder->png, limits->max_metadata_bytes / 4);
  png_set_chunk_cache_max(decoder->png, max_chunks);
  ignore_colour_chunks(decoder->png);
  png_read_info(decoder->png, decoder->info);
  decoder->image->width = png_get_image_width(decoder->png, decoder->info);
  decoder->image->height = png_get_image_height(decoder->png, decoder->info);
  if (content == CIO_EVERYTHING) {
    read_pixels(decoder);
  } else {
    png_start_read_image(decoder->png);  // or png_read_end could not pass over the pixels
  }
  png_read_end(decoder->png, decoder->info);
  copy_metadata(decoder);
}

cio_status cio_png_decode(cio_image *image, cio_failure *failure, const uint8_t *data, size_t size,
                          const cio_limits *limits, cio_content content) {
  memset(image, 0, sizeof *image);
  memset(failure, 0, sizeof *failure);
  cio_status status = check_header(data, size, limits, failure);
  if (status != CIO_OK) return status;

  png_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return cio_fail(failure, CIO_NO_MEMORY, "no memory for the PNG decoder");
  decoder->failure = failure;
  decoder->data = data;
  decoder->size = size;
  decoder->image = image;
  // Row and inflate buffers take a few rows of at most 8 bytes per pixel on top of the metadata.
  decoder->max_allocated = limits->max_metadata_bytes + 64ull * limits->max_side + (1u << 20);
  decode(decoder, limits, content);
  png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
  free(decoder->pointers);
  free(decoder->rows);
  status = decoder->status;
  free(decoder);
  return status;
}
