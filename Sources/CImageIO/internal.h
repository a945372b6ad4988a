#pragma once

#include "CImageIO.h"

// Writes a printf-style message into `failure` and returns `status`.
cio_status cio_fail(cio_failure *failure, cio_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Checks a picture's size against the limits, before any memory is taken for it.
cio_status cio_check_size(cio_failure *failure, uint64_t width, uint64_t height,
                          const cio_limits *limits);

// Allocates width * height * 3 bytes.
cio_status cio_allocate_pixels(cio_image *image, cio_failure *failure);

// Appends; returns 0 when memory is short.
int cio_bytes_append(cio_bytes *bytes, const uint8_t *data, size_t size);
