// SPDX-License-Identifier: Apache-2.0
#include "ks_runtime.h"

#include <string.h>

void ks_append(void *text, uint32_t size, uint32_t *length, const void *part, uint32_t part_size)
{
  size_t count = strnlen(part, part_size);
  size_t room = size - 1 - *length;

  if (count > room)
    count = room;
  memcpy((char *)text + *length, part, count);
  *length += (uint32_t)count;
}

uint32_t ks_length(const void *text, uint32_t size) { return (uint32_t)strnlen(text, size); }
