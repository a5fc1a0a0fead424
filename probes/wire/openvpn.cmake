#OpenVPN's control channel, with what protects it.
add_library(tunnelwatch_openvpn STATIC openvpn.cpp openvpn_wrap.cpp)
    add_library(tunnelwatch::openvpn ALIAS tunnelwatch_openvpn)
        target_link_libraries(tunnelwatch_openvpn PUBLIC tunnelwatch::options Boost::headers PRIVATE OpenSSL::Crypto)
