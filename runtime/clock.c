/* Preloaded into a process: its time of day is so many seconds from the machine's as the file that
   FALSE_CLOCK names says. What measures how long something takes is left alone. Declared here and
   not included, so that a compiler without the system's headers is enough. */

struct moment {
    long seconds, rest;
};
extern long syscall(long number, ...);
extern char *getenv(const char *name);
extern long atol(const char *text);
extern int open(const char *path, int how, ...);
extern long read(int file, void *into, unsigned long most);
extern int close(int file);

#ifdef __aarch64__
#define CLOCK_GETTIME 113
#else
#define CLOCK_GETTIME 228
#endif
#define REALTIME 0
#define REALTIME_COARSE 5

static long apart(void)
{
    const char *path = getenv("FALSE_CLOCK");
    char text[32];
    int file = path ? open(path, 0) : -1;
    if (file < 0)
        return 0;
    long length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = 0;
    return atol(text);
}

int clock_gettime(int clock, struct moment *now)
{
    int failed = (int)syscall(CLOCK_GETTIME, clock, now);
    if (!failed && (clock == REALTIME || clock == REALTIME_COARSE))
        now->seconds += apart();
    return failed;
}

int gettimeofday(struct moment *now, void *zone)
{
    int failed = clock_gettime(REALTIME, now);
    now->rest /= 1000; /* microseconds */
    return failed;
}

long time(long *into)
{
    struct moment now;
    clock_gettime(REALTIME, &now);
    if (into)
        *into = now.seconds;
    return now.seconds;
}
