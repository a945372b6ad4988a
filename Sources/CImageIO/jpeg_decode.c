#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// These two need stdio.h, and each other in this order.
#include <jpeglib.h>
#include <jerror.h>

#include "internal.h"

// Everything a decode owns lives here, outside the frame that longjmp may rewind.
typedef struct jpeg_decoder {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  cio_status status;
  cio_failure *failure;
  uint32_t max_scans;
  uint8_t *cmyk_row;
  cio_image *image;
} jpeg_decoder;

static cio_status status_of_code(int code) {
  switch (code) {
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF:
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
      return CIO_TRUNCATED;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
      return CIO_TOO_LARGE;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOTIMPL:
      return CIO_UNSUPPORTED;
    case JERR_OUT_OF_MEMORY:
      return CIO_NO_MEMORY;
    default:
      return CIO_CORRUPT;
  }
}

static void on_error(j_common_ptr jpeg) {
  jpeg_decoder *decoder = jpeg->client_data;
  if (decoder->status == CIO_OK) {
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    decoder->status =
        cio_fail(decoder->failure, status_of_code(jpeg->err->msg_code), "%s", message);
  }
  longjmp(decoder->escape, 1);
}

// Warnings that leave holes in the picture are errors; the rest only remark on sloppy writers.
static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      on_error(jpeg);
    default:
      jpeg->err->num_warnings++;
  }
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static void fail(jpeg_decoder *decoder, cio_status status, const char *message) {
  decoder->status = cio_fail(decoder->failure, status, "%s", message);
  longjmp(decoder->escape, 1);
}

// libjpeg calls this for every row of every scan: a small file may repeat cheap scans for hours.
static void on_progress(j_common_ptr jpeg) {
  jpeg_decoder *decoder = jpeg->client_data;
  if (decoder->jpeg.input_scan_number > (int)decoder->max_scans) {
    fail(decoder, CIO_TOO_LARGE, "the file has more scans than the limit");
  }
}

// Files of several scans keep the coefficients of all components in memory.
static uint64_t coefficient_bytes(struct jpeg_decompress_struct *jpeg) {
  if (!jpeg_has_multiple_scans(jpeg)) return 0;
  uint64_t blocks = 0;
  for (int c = 0; c < jpeg->num_components; c++) {
    blocks += (uint64_t)jpeg->comp_info[c].width_in_blocks * jpeg->comp_info[c].height_in_blocks;
  }
  return blocks * sizeof(JBLOCK);
}

static void check_header(jpeg_decoder *decoder, size_t size, const cio_limits *limits) {
  uint64_t width = decoder->jpeg.image_width, height = decoder->jpeg.image_height;
  cio_status status = cio_check_size(decoder->failure, width, height, limits);
  if (status == CIO_OK && !decoder->jpeg.arith_code && width * height / 512 > size) {
    // The component of full resolution has a DC code of at least one bit for each 8x8 block.
    status = cio_fail(decoder->failure, CIO_TRUNCATED,
                      "the header claims %llux%llu pixels, which %zu bytes cannot hold",
                      (unsigned long long)width, (unsigned long long)height, size);
  }
  uint64_t coefficients = coefficient_bytes(&decoder->jpeg);
  if (status == CIO_OK && coefficients > limits->max_decoder_bytes) {
    status = cio_fail(decoder->failure, CIO_TOO_LARGE,
                      "%llux%llu pixels in several scans take %llu bytes, the limit is %llu",
                      (unsigned long long)width, (unsigned long long)height,
                      (unsigned long long)coefficients,
                      (unsigned long long)limits->max_decoder_bytes);
  }
  if (status != CIO_OK) {
    decoder->status = status;
    longjmp(decoder->escape, 1);
  }
}

static void copy_exif(jpeg_decoder *decoder) {
  static const uint8_t name[6] = {'E', 'x', 'i', 'f', 0, 0};
  cio_image *image = decoder->image;
  for (jpeg_saved_marker_ptr marker = decoder->jpeg.marker_list; marker; marker = marker->next) {
    size_t size = marker->data_length;
    if (marker->marker != JPEG_APP0 + 1 || size <= sizeof name) continue;
    if (memcmp(marker->data, name, sizeof name) != 0) continue;
    image->exif = malloc(size - sizeof name);
    if (!image->exif) return;
    image->exif_size = size - sizeof name;
    memcpy(image->exif, marker->data + sizeof name, image->exif_size);
    return;
  }
}

// Inverted CMYK (0 = full ink) to RGB: channel * black / 255, rounded as
// black - round((255 - channel) * black / 255), which is Pillow's order of operations.
static void convert_cmyk_row(uint8_t *dst, const uint8_t *src, size_t width) {
  for (size_t x = 0; x < width; x++, dst += 3, src += 4) {
    unsigned black = src[3];
    for (int c = 0; c < 3; c++) {
      unsigned product = (255u - src[c]) * black + 128;
      dst[c] = (uint8_t)(black - ((product + (product >> 8)) >> 8));
    }
  }
}

// Every component of a progressive file must have had a DC scan.
static void check_completeness(jpeg_decoder *decoder) {
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  if (!jpeg->coef_bits) return;
  for (int c = 0; c < jpeg->num_components; c++) {
    if (jpeg->coef_bits[c][0] < 0) fail(decoder, CIO_CORRUPT, "a colour component has no data");
  }
}

static void read_pixels(jpeg_decoder *decoder) {
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  cio_image *image = decoder->image;
  int is_cmyk = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
  jpeg->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  jpeg->dct_method = JDCT_ISLOW;
  jpeg_start_decompress(jpeg);
  check_completeness(decoder);
  if (cio_allocate_pixels(image, decoder->failure) != CIO_OK) {
    fail(decoder, CIO_NO_MEMORY, "no memory for the pixels");
  }
  if (is_cmyk) {
    decoder->cmyk_row = malloc((size_t)image->width * 4);
    if (!decoder->cmyk_row) fail(decoder, CIO_NO_MEMORY, "no memory for a row");
  }
  while (jpeg->output_scanline < jpeg->output_height) {
    uint8_t *row = image->pixels + (size_t)jpeg->output_scanline * image->width * 3;
    JSAMPROW target = is_cmyk ? decoder->cmyk_row : row;
    if (jpeg_read_scanlines(jpeg, &target, 1) != 1) {
      fail(decoder, CIO_TRUNCATED, "a row is missing");
    }
    if (is_cmyk) convert_cmyk_row(row, decoder->cmyk_row, image->width);
  }
  jpeg_finish_decompress(jpeg);
}

// The part that may be left by longjmp.
static void decode(jpeg_decoder *decoder, const uint8_t *data, size_t size,
                   const cio_limits *limits, cio_content content) {
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  jpeg->err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = on_error;
  decoder->errors.emit_message = on_message;
  decoder->errors.output_message = on_output;
  jpeg->client_data = decoder;
  if (setjmp(decoder->escape)) return;
  jpeg_create_decompress(jpeg);
  decoder->progress.progress_monitor = on_progress;
  jpeg->progress = &decoder->progress;
  jpeg_mem_src(jpeg, data, size);
  jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(jpeg, TRUE);
  check_header(decoder, size, limits);
  decoder->image->width = jpeg->image_width;
  decoder->image->height = jpeg->image_height;
  copy_exif(decoder);
  if (content == CIO_EVERYTHING) read_pixels(decoder);
}

cio_status cio_jpeg_decode(cio_image *image, cio_failure *failure, const uint8_t *data, size_t size,
                           const cio_limits *limits, cio_content content) {
  memset(image, 0, sizeof *image);
  memset(failure, 0, sizeof *failure);
  if (size == 0) return cio_fail(failure, CIO_TRUNCATED, "the file is empty");
  jpeg_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return cio_fail(failure, CIO_NO_MEMORY, "no memory for the JPEG decoder");
  decoder->failure = failure;
  decoder->max_scans = limits->max_scans;
  decoder->image = image;
  decode(decoder, data, size, limits, content);
  jpeg_destroy_decompress(&decoder->jpeg);
  free(decoder->cmyk_row);
  cio_status status = decoder->status;
  free(decoder);
  return status;
}
