/* The bare system calls: what a read and a write of one packet cost without any library.
 * raw write|read SIZE SECONDS: prints packets and the thread's CPU nanoseconds a packet. The setup is that of raw.rs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int size;
static double clock_of(clockid_t id) { struct timespec t; clock_gettime(id, &t); return t.tv_sec * 1e9 + t.tv_nsec; }

static void *flood(void *unused) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr("10.3.0.2")};
  char bytes[2048] = {0};
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(s, (struct sockaddr *)&to, sizeof to)) exit(3);
  for (;;) (void)!send(s, bytes, size - 28, 0);
  return unused;
}

int main(int count, char **words) {
  if (count != 4 || unshare(CLONE_NEWNET)) return 2;
  int fd = open("/dev/net/tun", O_RDWR);
  struct ifreq request = {.ifr_name = "raw0"};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(fd, TUNSETIFF, &request) || system("ip addr add 10.3.0.1/24 dev raw0 && ip link set raw0 up")) return 2;
  size = atoi(words[2]);
  double seconds = atof(words[3]), end = clock_of(CLOCK_MONOTONIC) + seconds * 1e9, packets = 0;
  unsigned char packet[2048] = {0x45, 0, size >> 8, size & 255, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 3, 0, 2, 10, 3, 0, 9};
  unsigned sum = 0;
  for (int i = 0; i < 20; i += 2) sum += packet[i] << 8 | packet[i + 1];
  sum = ~((sum >> 16) + (sum & 0xffff));
  packet[10] = sum >> 8, packet[11] = sum;
  int reads = !strcmp(words[1], "read");
  pthread_t thread;
  if (reads) pthread_create(&thread, 0, flood, 0);
  double start = clock_of(CLOCK_THREAD_CPUTIME_ID);
  while (clock_of(CLOCK_MONOTONIC) < end)
    for (int i = 0; i < 64; i++)
      packets += (reads ? read(fd, packet, sizeof packet) : write(fd, packet, size)) > 0;
  printf("%.0f\t%.1f\n", packets, (clock_of(CLOCK_THREAD_CPUTIME_ID) - start) / packets);
  fflush(stdout);
  _exit(0);
}
