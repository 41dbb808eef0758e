//! Opens TUN and TAP devices and moves packets through them.
