/* The sums over all frames and over each of them: the least that a processor has to do for them.

   Eight frames at a time, and a part of their pixels, of which the sums stay in the first cache. */
#include <stddef.h>
#include <stdint.h>

enum { PART = 8192, STRETCH = 1024, TOGETHER = 8 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Adds to `total`, and to `of_frames`; the number of frames is a multiple of eight. */
void add_in_parts(const uint16_t *frames, size_t n_frames, size_t n_pixels, uint32_t *total,
                  uint64_t *of_frames) {
  for (size_t part = 0; part < n_pixels; part += PART)
    for (size_t frame = 0; frame < n_frames; frame += TOGETHER)
      for (size_t at = part; at < least(part + PART, n_pixels); at += STRETCH) {
        const uint16_t *from = frames + frame * n_pixels;
        const size_t end = least(least(at + STRETCH, part + PART), n_pixels);
        uint32_t sums[TOGETHER] = {0};
        for (size_t i = at; i < end; i++) {
          uint32_t pixel = 0;
          for (int k = 0; k < TOGETHER; k++) {
            pixel += from[k * n_pixels + i];
            sums[k] += from[k * n_pixels + i];
          }
          total[i] += pixel;
        }
        for (int k = 0; k < TOGETHER; k++) of_frames[frame + k] += sums[k];
      }
}
