#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

cio_status cio_fail(cio_failure *failure, cio_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->message, sizeof failure->message, format, arguments);
  va_end(arguments);
  return status;
}

cio_status cio_check_size(cio_failure *failure, uint64_t width, uint64_t height,
                          const cio_limits *limits) {
  if (width == 0 || height == 0) {
    return cio_fail(failure, CIO_CORRUPT, "the header claims %llux%llu pixels",
                    (unsigned long long)width, (unsigned long long)height);
  }
  if (width > limits->max_side || height > limits->max_side) {
    return cio_fail(failure, CIO_TOO_LARGE,
                    "the header claims %llux%llu pixels, the limit is %u on a side",
                    (unsigned long long)width, (unsigned long long)height, limits->max_side);
  }
  if (width * height > limits->max_pixels) {
    return cio_fail(failure, CIO_TOO_LARGE,
                    "the header claims %llux%llu pixels, the limit is %llu in all",
                    (unsigned long long)width, (unsigned long long)height,
                    (unsigned long long)limits->max_pixels);
  }
  return CIO_OK;
}

cio_status cio_allocate_pixels(cio_image *image, cio_failure *failure) {
  size_t size = (size_t)image->width * image->height * 3;
  image->pixels = malloc(size);
  if (!image->pixels) {
    return cio_fail(failure, CIO_NO_MEMORY, "no memory for %zu bytes of pixels", size);
  }
  return CIO_OK;
}

void cio_image_free(cio_image *image) {
  for (size_t i = 0; i < image->text_count; i++) {
    free(image->text[i].key);
    free(image->text[i].value);
  }
  free(image->text);
  free(image->exif);
  free(image->pixels);
  memset(image, 0, sizeof *image);
}

int cio_bytes_append(cio_bytes *bytes, const uint8_t *data, size_t size) {
  if (size > SIZE_MAX / 2 - bytes->size) return 0;
  size_t needed = bytes->size + size;
  if (needed > bytes->capacity) {
    size_t capacity = bytes->capacity ? bytes->capacity : 4096;
    while (capacity < needed) capacity *= 2;
    uint8_t *grown = realloc(bytes->data, capacity);
    if (!grown) return 0;
    bytes->data = grown;
    bytes->capacity = capacity;
  }
  if (size) memcpy(bytes->data + bytes->size, data, size);
  bytes->size = needed;
  return 1;
}

void cio_bytes_free(cio_bytes *bytes) {
  free(bytes->data);
  memset(bytes, 0, sizeof *bytes);
}
