#pragma once
// 2^x in plain vector arithmetic; see ck_attention_layout.h.

// 2^x to 1e-7, and 0 below 2^-126. x = n + r with |r| <= 1/2.
CK_BODY vec vec_exp2(vec x) {
  const float round = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  x = vec_max(vec_set(-127.0f), x);
  const vec shifted = x + round;
  const vec r = x - (shifted - round);
  vec p = r * 0.00132764725f + 0.00967554096f;
  p = p * r + 0.0555071309f;
  p = p * r + 0.240221202f;
  p = p * r + 0.693146944f;
  p = p * r + 1.00000012f;
  const ivec power = (ivec)shifted - (ivec)vec_set(round) + 127;
  return p * (vec)(power << 23);
}
