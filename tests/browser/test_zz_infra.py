import time
def test_page(page, axe, fits):
    page.goto("/nothing-here"); print(page.content()[:600]); axe(page); fits(page)
def test_phone(phone, axe, fits):
    phone.goto("/nothing-here"); axe(phone); fits(phone); phone.screenshot(path="/tmp/phone.png")
