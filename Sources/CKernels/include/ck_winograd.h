#pragma once
#include <stddef.h>
#include <stdint.h>

// Winograd's minimal filtering for convolutions of [N, H, W, C] by 3x3 kernels with stride 1 (Lavin
// and Gray, arXiv:1509.09308): F(2x2, 3x3), 16 products for four outputs in place of 36, and
// F(4x4, 3x3), 36 products for sixteen outputs in place of 144.
//
//   Y = Aᵀ [(G g Gᵀ) ∘ (Bᵀ d B)] A
//
//   F(2x2, 3x3):  Bᵀ = 1  0 -1  0   G = 1   0   0   Aᵀ = 1  1  1  0
//                      0  1  1  0       ½   ½   ½        0  1 -1 -1
//                      0 -1  1  0       ½  -½   ½
//                      0  1  0 -1       0   0   1
//
//   F(4x4, 3x3) from the points 0, ±1/√2, ±√2 and infinity, which lose half as much to rounding as
//   0, ±1, ±2 (r = √2):
//                 Bᵀ = 1    0  -5/2    0  1  0   G =   1     0     0   Aᵀ = 1    1     1   1    1  0
//                      0   -r    -2  r/2  1  0      -2/3  -r/3  -1/3        0  r/2  -r/2   r   -r  0
//                      0    r    -2 -r/2  1  0      -2/3   r/3  -1/3        0    ½     ½   2    2  0
//                      0 -r/2    -½    r  1  0       1/6   r/6   1/3        0  r/4  -r/4  2r  -2r  1
//                      0  r/2    -½   -r  1  0       1/6  -r/6   1/3
//                      0    1     0 -5/2  0  1         0     0     1
//
// The result is cut into tiles of side x side pixels, side being 2 or 4; a tile reads side + 2 by
// side + 2 pixels of the source. The sum over channels turns the elementwise product into one matrix
// product for each "place" of these. Kernels for bfloat16 take a side of 2 only: the transforms of
// the larger tiles would lose too much of it.

// Places of tiles with side 2, and those that are left of an upsampled source.
enum { CK_WINOGRAD_PLACES = 16, CK_WINOGRAD_UPSAMPLED_PLACES = 9 };

// A source [images, height, width, channels] and how tiles lie on it: the first tile starts `top`
// rows and `left` columns before the first pixel; pixels outside are zero.
typedef struct {
  size_t height, width, channels;
  size_t side;                      // 2 or 4
  size_t tiles_down, tiles_across;  // per image
  ptrdiff_t top, left;
  ptrdiff_t bias_step;  // numbers between the biases of two images; 0 for one for all
} ck_winograd_t;

// v[p · plane + (t - tile) · stride + c] = (Bᵀ d B)[p] of tiles [tile, tile_end), c in [0, channels);
// stride ≥ channels, what is beyond channels becomes zero (at most one element). plane and stride
// count elements.
void ck_winograd_input_f32(float *v, size_t plane, size_t stride, const float *x,
                           const ck_winograd_t *g, size_t tile, size_t tile_end);
// x holds bfloat16 numbers when is_bf16 is not 0, floats otherwise.
void ck_winograd_input_bf16(uint16_t *v, size_t plane, size_t stride, const void *x, int is_bf16,
                            const ck_winograd_t *g, size_t tile, size_t tile_end);

// The products of all places for some tiles and columns: m[p] = v[p] · u[p], m [tiles, columns],
// v [tiles, k], u packed by ck_winograd_weights_*; k is even for bf16. Planes and v_stride, the
// distance between rows of v, count elements. `places` is (side + 2)², or
// CK_WINOGRAD_UPSAMPLED_PLACES for v of an upsampled source.
typedef struct {
  size_t places;
  float *m;
  const void *v, *u;
  size_t m_plane, v_plane, u_plane;
  size_t v_stride, tiles, k, columns;
  int accumulate;  // 1: m += v · u; 0: m = v · u
} ck_winograd_products_t;
void ck_winograd_products_f32(const ck_winograd_products_t *w);
void ck_winograd_products_bf16(const ck_winograd_products_t *w);

// Pixels of tiles [tile, tile_end) of y [images, height, width, channels]: y = Aᵀ m A + bias for
// channels [channel, channel_end), m[p · plane + (t - tile) · (channel_end - channel) + c]. g
// describes y, whose last row and column of tiles may stick out; top and left are 0. bias
// [channels], or [images, bias_step], may be NULL.
// y holds bfloat16 numbers when is_bf16 is not 0, floats otherwise.
// `residual`, floats of y's shape or NULL, is added.
void ck_winograd_output(void *y, int is_bf16, const float *residual, const float *m, size_t plane,
                        const float *bias, const ck_winograd_t *g, size_t tile, size_t tile_end,
                        size_t channel, size_t channel_end);

// Strides of a 3x3 kernel as it lies in memory; tap (ky, kx) is (ky · 3 + kx) · tap elements behind
// tap 0, or, when `flipped`, in front of tap 8. One of row, column is 1.
typedef struct {
  ptrdiff_t row, column, tap;
  int flipped;
  size_t side;  // of the tiles, 2 or 4
} ck_winograd_kernel_t;

// Panel `panel` of the right factors u = G g Gᵀ of all places, packed as ck_pack_b_* does:
// u[p · plane + panel · k_total · ck_gemm_panel()], rows [0, k), columns [0, n).
void ck_winograd_weights_f32(float *u, size_t plane, size_t k_total, const float *w,
                             const ck_winograd_kernel_t *kernel, size_t k, size_t n, size_t panel);
void ck_winograd_weights_bf16(uint16_t *u, size_t plane, size_t k_total, const float *w,
                              const ck_winograd_kernel_t *kernel, size_t k, size_t n,
                              size_t panel);

// u[p · plane + i] = (G g Gᵀ)[p] of the n kernels whose taps begin at w[i], tap (ky, kx) being
// (3 ky + kx) · tap elements behind tap 0. When w is a panel of ck_pack_b_f32 whose rows are [3, 3, k],
// with tap = k · ck_gemm_panel(), so are the results panels, and n is a multiple of their width.
void ck_winograd_kernels_f32(float *u, size_t plane, const float *w, ptrdiff_t tap, size_t n,
                             size_t side);

// Factors of the gradient by the kernel, du[p] = Σ_t (A dy Aᵀ)[p, t] ᵀ (Bᵀ d B)[p, t], packed for
// ck_gemm_panels_*: tiles [tile, tile_end), `tile` even, are rows tile - first_tile and on of the
// summed axis, which has k rows in all; channels are the other axis, in panels of `width`.
void ck_winograd_input_panels_f32(float *v, size_t plane, size_t k, size_t width, const float *x,
                                  const ck_winograd_t *g, size_t first_tile, size_t tile,
                                  size_t tile_end);
void ck_winograd_input_panels_bf16(uint16_t *v, size_t plane, size_t k, size_t width,
                                   const void *x, int is_bf16, const ck_winograd_t *g,
                                   size_t first_tile, size_t tile, size_t tile_end);
void ck_winograd_gradient_panels_f32(float *z, size_t plane, size_t k, size_t width,
                                     const float *dy, const ck_winograd_t *g, size_t first_tile,
                                     size_t tile, size_t tile_end);
void ck_winograd_gradient_panels_bf16(uint16_t *z, size_t plane, size_t k, size_t width,
                                      const void *dy, int is_bf16, const ck_winograd_t *g,
                                      size_t first_tile, size_t tile, size_t tile_end);

// dw[o, ky, kx, c] = (Gᵀ du G)[ky, kx] for one o: du[p · plane + c], dw [3, 3, channels]; `side` is
// that of the tiles.
void ck_winograd_weight_gradient_f32(float *dw, const float *du, size_t plane, size_t channels,
                                     size_t side);

// The same for a source that is first enlarged to twice its height and width, each pixel becoming
// 2x2 equal ones, and padded by 1, in tiles of side 2. A tile then reads rows and columns a, b, b, c
// of 3x3 pixels, so 7 of the 16 places of Bᵀ d B vanish. g describes the source as it is; its pixels
// are the tiles, and top and left are 1.
void ck_winograd_upsampled_input_f32(float *v, size_t plane, size_t stride, const float *x,
                                     const ck_winograd_t *g, size_t tile, size_t tile_end);
void ck_winograd_upsampled_input_bf16(uint16_t *v, size_t plane, size_t stride, const void *x,
                                      int is_bf16, const ck_winograd_t *g, size_t tile,
                                      size_t tile_end);
// y [images, 2 · tiles_down, 2 · tiles_across, channels]; see ck_winograd_output.
void ck_winograd_upsampled_output(void *y, int is_bf16, const float *residual, const float *m,
                                  size_t plane, const float *bias, const ck_winograd_t *g,
                                  size_t tile, size_t tile_end, size_t channel,
                                  size_t channel_end);
