// The loops of the benchmark, as fast as they go; prints nanoseconds a round, the best of ten equal parts.
//
//   loop open FILE ROUNDS       open, read one byte, close
//   loop stat FILE ROUNDS       stat, eight times over as many names
//   loop write FILE ROUNDS      write 100 bytes to an open file, from its start again every 1,000 rounds
//
// In C, because an interpreter's own cost would make every ratio look better than it is.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 10, STATS = 8, WRITES = 1000 };

static int file = -1;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int open_read_close(const char *path, long round)
{
    char byte;
    int fd = open(path, O_RDONLY);
    (void)round;
    if (fd < 0 || read(fd, &byte, 1) < 0)
        return 1;
    return close(fd);
}

static int stat_many(const char *path, long round)
{
    struct stat status;
    (void)round;
    for (int i = 0; i < STATS; i++)
        if (stat(path, &status))
            return 1;
    return 0;
}

static int write_some(const char *path, long round)
{
    static const char bytes[100];
    if (file < 0)
        file = open(path, O_WRONLY | O_CREAT, 0600);
    if (round % WRITES == 0 && lseek(file, 0, SEEK_SET))
        return 1;
    return write(file, bytes, sizeof(bytes)) != sizeof(bytes);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int (*act)(const char *, long) = !strcmp(argv[1], "stat")    ? stat_many
                                     : !strcmp(argv[1], "write") ? write_some
                                                                 : open_read_close;
    long rounds = atol(argv[3]) / PARTS;
    double best = 0;
    for (int part = 0; part < PARTS; part++) {
        double start = now_ns();
        for (long i = 0; i < rounds; i++)
            if (act(argv[2], i))
                return 1;
        double each = (now_ns() - start) / rounds;
        if (!part || each < best)
            best = each;
    }
    printf("%.1f\n", best);
    return 0;
}
