/* flood FOLDER ROUNDS: opens and closes the files 00.bin to 99.bin of the folder, so many times. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char names[100][16];

    if (argc != 3 || chdir(argv[1])) {
        perror("flood FOLDER ROUNDS");
        return 1;
    }
    for (int i = 0; i < 100; i++)
        snprintf(names[i], sizeof(names[i]), "%02d.bin", i);
    for (long round = atol(argv[2]); round > 0; round--)
        for (int i = 0; i < 100; i++) {
            int fd = open(names[i], O_RDONLY | O_CLOEXEC);
            if (fd < 0)
                return 1;
            close(fd);
        }
    return 0;
}
