# What libaom is built without. Read by CMake before the project's own settings (.cargo/config.toml names it); other projects
# that CMake builds do not know these names.

# Pictures of more than 8 bits a sample: none are sent. What is encoded is the same to the byte.
set(CONFIG_AV1_HIGHBITDEPTH 0 CACHE STRING "")
# For libaom's own programs.
set(CONFIG_LIBYUV 0 CACHE STRING "")
