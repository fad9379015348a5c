# cmake --install: the library, its public headers, and the package that find_package(hopspan) reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hopspan)
install(TARGETS hopspan EXPORT hopspan-targets)
install(DIRECTORY cpp/include/ TYPE INCLUDE)
install(EXPORT hopspan-targets NAMESPACE hopspan:: DESTINATION ${package_dir})

configure_package_config_file(cmake/hopspan-config.cmake.in hopspan-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(hopspan-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hopspan-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/hopspan-config-version.cmake
        DESTINATION ${package_dir})
