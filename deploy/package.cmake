# What `cmake --install` puts where, and the Debian package of it: `cpack -G DEB` in a release build
# (docs/deploy.md).
install(TARGETS terrane-world terrane-shard RUNTIME DESTINATION sbin)
install(TARGETS worldctl RUNTIME DESTINATION bin)
install(FILES deploy/systemd/terrane-world.service deploy/systemd/terrane-shard@.service
        DESTINATION /lib/systemd/system)
install(FILES deploy/debian/etc/world.json deploy/debian/etc/shard-1.json DESTINATION /etc/terrane)
install(FILES deploy/prometheus/terrane.rules.yml deploy/prometheus/prometheus.yml
        DESTINATION share/terrane/prometheus)
install(FILES deploy/grafana/terrane.json DESTINATION share/terrane/grafana)

file(GLOB docs CONFIGURE_DEPENDS docs/*.md)
list(FILTER docs EXCLUDE REGEX "/(architecture|design|reference|style)\\.md$") # of who changes it
install(FILES ${docs} DESTINATION share/doc/terrane)
install(FILES deploy/debian/copyright DESTINATION share/doc/terrane)
install(FILES deploy/debian/lintian-overrides DESTINATION share/lintian/overrides RENAME terrane)

# NAME.gz of FILE in FOLDER below the prefix, the same bytes for the same text.
function(terrane_install_gz file folder name)
    install(CODE "
        set(to \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}\")
        file(MAKE_DIRECTORY \"\${to}\")
        execute_process(COMMAND gzip -9nc \"${file}\" OUTPUT_FILE \"\${to}/${name}.gz\" COMMAND_ERROR_IS_FATAL ANY)
        file(CHMOD \"\${to}/${name}.gz\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)")
endfunction()
file(GLOB pages CONFIGURE_DEPENDS docs/man/*.[1-8])
list(FILTER pages EXCLUDE REGEX "/terrane-demo-room")
foreach(page IN LISTS pages)
    get_filename_component(name ${page} NAME)
    string(REGEX REPLACE ".*\\." "" section ${name})
    terrane_install_gz(${page} share/man/man${section} ${name})
endforeach()
file(READ deploy/debian/changelog changelog)
string(REPLACE "@VERSION@" "${PROJECT_VERSION}" changelog "${changelog}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/package/changelog CONTENT "${changelog}")
terrane_install_gz(${CMAKE_BINARY_DIR}/package/changelog share/doc/terrane changelog)
install(CODE "
    set(to \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/bash-completion/completions\")
    file(MAKE_DIRECTORY \"\${to}\")
    execute_process(COMMAND \"$<TARGET_FILE:worldctl>\" completion bash OUTPUT_FILE \"\${to}/worldctl\"
                    COMMAND_ERROR_IS_FATAL ANY)")

# The first line is the synopsis; CPack indents the others.
file(READ deploy/debian/description description)
string(STRIP "${description}" description)
string(FIND "${description}" "\n" end)
string(SUBSTRING "${description}" 0 ${end} CPACK_PACKAGE_DESCRIPTION_SUMMARY)
string(SUBSTRING "${description}" ${end} -1 description)
string(REPLACE "\n " "\n" description "${description}")
string(STRIP "${description}" CPACK_DEBIAN_PACKAGE_DESCRIPTION)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME terrane)
set(CPACK_PACKAGE_VENDOR "the Terrane authors")
set(CPACK_PACKAGE_CONTACT "Terrane maintainers <maintainers@terrane.invalid>")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # files of /etc and /lib, too
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, procps, systemd (>= 250)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus, redis-server")
foreach(script postinst prerm postrm conffiles)
    list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/deploy/debian/${script})
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
