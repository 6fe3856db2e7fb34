/* The loop over single requests, as fast as a compiler makes it: what the arithmetic is compared with.
 *
 * Reads 32-bit numbers: how many targets there are in all; then for each time without a change how many
 * requests arrive, how many targets serve, and their numbers. Prints how many requests each target got.
 * Round robin by a counter of all requests, modulo the number of targets.   cc -O2 -o loop loop.c && ./loop FILE
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file) return 2;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint32_t *data = malloc(size);
    if (!data || fread(data, 1, size, file) != size) return 2;
    uint32_t targets = data[0];
    uint64_t *counts = calloc(targets, sizeof *counts), sent = 0;
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (uint32_t *at = data + 1; at < data + size / 4;) {
        uint32_t requests = *at++, serving = *at++, turn = (uint32_t)(sent % serving);
        for (uint32_t k = 0; k < requests; k++) {
            counts[at[turn]]++;
            if (++turn == serving) turn = 0;
        }
        sent += requests;
        at += serving;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    printf("%.6f\n", (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec));
    for (uint32_t i = 0; i < targets; i++) printf("%llu\n", (unsigned long long)counts[i]);
    return 0;
}
