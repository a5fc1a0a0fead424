#A hello to an OpenVPN server, as far as its certificate.
add_library(tunnelwatch_openvpn_hello STATIC openvpn_hello.cpp openvpn_tls.cpp)
    add_library(tunnelwatch::openvpn_hello ALIAS tunnelwatch_openvpn_hello)
        target_link_libraries(tunnelwatch_openvpn_hello PUBLIC tunnelwatch::options tunnelwatch::observation
                                  tunnelwatch::openvpn PRIVATE OpenSSL::SSL OpenSSL::Crypto)
