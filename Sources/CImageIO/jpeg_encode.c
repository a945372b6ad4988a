#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// These two need stdio.h, and each other in this order.
#include <jpeglib.h>
#include <jerror.h>

#include "internal.h"

typedef struct jpeg_encoder {
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_destination_mgr destination;
  jmp_buf escape;
  cio_status status;
  cio_failure *failure;
  cio_bytes *out;
  uint8_t block[1 << 14];  // filled by libjpeg, then appended to out
} jpeg_encoder;

static void on_error(j_common_ptr jpeg) {
  jpeg_encoder *encoder = jpeg->client_data;
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  cio_status status = jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? CIO_NO_MEMORY : CIO_CORRUPT;
  encoder->status = cio_fail(encoder->failure, status, "%s", message);
  longjmp(encoder->escape, 1);
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static void reset_block(jpeg_encoder *encoder) {
  encoder->destination.next_output_byte = encoder->block;
  encoder->destination.free_in_buffer = sizeof encoder->block;
}

static void on_start(j_compress_ptr jpeg) { reset_block(jpeg->client_data); }

static void flush(j_compress_ptr jpeg, size_t size) {
  jpeg_encoder *encoder = jpeg->client_data;
  if (!cio_bytes_append(encoder->out, encoder->block, size)) {
    ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
  }
  reset_block(encoder);
}

// libjpeg wants the whole block written here, whatever free_in_buffer says.
static boolean on_full(j_compress_ptr jpeg) {
  flush(jpeg, sizeof ((jpeg_encoder *)jpeg->client_data)->block);
  return TRUE;
}

static void on_end(j_compress_ptr jpeg) {
  jpeg_encoder *encoder = jpeg->client_data;
  flush(jpeg, sizeof encoder->block - encoder->destination.free_in_buffer);
}

// The part that may be left by longjmp.
static void encode(jpeg_encoder *encoder, const uint8_t *pixels, uint32_t width, uint32_t height,
                   int quality, int full_chroma) {
  struct jpeg_compress_struct *jpeg = &encoder->jpeg;
  jpeg->err = jpeg_std_error(&encoder->errors);
  encoder->errors.error_exit = on_error;
  encoder->errors.output_message = on_output;
  jpeg->client_data = encoder;
  if (setjmp(encoder->escape)) return;
  jpeg_create_compress(jpeg);
  encoder->destination.init_destination = on_start;
  encoder->destination.empty_output_buffer = on_full;
  encoder->destination.term_destination = on_end;
  jpeg->dest = &encoder->destination;
  jpeg->image_width = width;
  jpeg->image_height = height;
  jpeg->input_components = 3;
  jpeg->in_color_space = JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, quality, TRUE);
  jpeg->optimize_coding = TRUE;
  jpeg->dct_method = JDCT_ISLOW;
  jpeg->comp_info[0].h_samp_factor = jpeg->comp_info[0].v_samp_factor = full_chroma ? 1 : 2;
  jpeg_start_compress(jpeg, TRUE);
  while (jpeg->next_scanline < jpeg->image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)jpeg->next_scanline * width * 3);
    jpeg_write_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_compress(jpeg);
}

cio_status cio_jpeg_encode(cio_bytes *out, cio_failure *failure, const uint8_t *pixels,
                           uint32_t width, uint32_t height, int quality, int full_chroma) {
  memset(out, 0, sizeof *out);
  memset(failure, 0, sizeof *failure);
  jpeg_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return cio_fail(failure, CIO_NO_MEMORY, "no memory for the JPEG encoder");
  encoder->failure = failure;
  encoder->out = out;
  encode(encoder, pixels, width, height, quality, full_chroma);
  jpeg_destroy_compress(&encoder->jpeg);
  cio_status status = encoder->status;
  free(encoder);
  return status;
}
