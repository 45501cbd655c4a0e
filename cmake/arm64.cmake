# Builds for 64-bit Arm on another Debian machine: the cross compiler, the codecs as :arm64 (all are multi-arch), and qemu to run
# what was built. tools/install-deps.sh arm64 installs them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
# Headers are the same for all architectures; libraries are found in the folder of this one alone.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_IGNORE_PATH /usr/lib /lib /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu)
